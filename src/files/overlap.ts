/** Whether collectives go on beside kernels; HALOMESH_OVERLAP=0 turns it off, to measure what it gains. */
export const overlaps = (): boolean => process.env.HALOMESH_OVERLAP !== '0';
