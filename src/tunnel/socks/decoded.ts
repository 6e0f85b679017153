/** What a decoder finds at the beginning of a stream: a message and its size in bytes, too few bytes for one, or none. */
export type Decoded<Message> = { readonly message: Message; readonly size: number } | 'incomplete' | 'invalid';
