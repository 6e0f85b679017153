/** The name that the owner gives to a client. It begins with a letter, so that it does not look like a prefix of a key. */
export const ALIAS = /^[A-Za-z][A-Za-z0-9._-]{0,31}$/;
