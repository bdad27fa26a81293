/**
 * Tags of collectives go round below this. Beside its own each has two more for messages in memory of a device: `TAGS` further where
 * their numbers come, or what tells where they lie, and `2 * TAGS` further what tells that they were taken. All are below the least
 * that MPI promises.
 */
export const TAGS = 2 ** 13;
