/** The name that an owner gave to a client, wherever it is written: it begins with a letter, so that no prefix of a key looks like one. */
export const ALIAS = /^[A-Za-z][A-Za-z0-9._-]{0,31}$/;
