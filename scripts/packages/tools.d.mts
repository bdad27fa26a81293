/** See tools.mjs. */
export declare function installTools(say?: (line: string) => void): Promise<string>;
