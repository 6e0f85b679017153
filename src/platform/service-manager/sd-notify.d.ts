/** What we use of sd-notify 2.8. It is an optional dependency: it may be missing, and it may not load. */
declare module 'sd-notify' {
  const sdNotify: {
    /** Sends one datagram to the service manager, without saying whether it came through. */
    sendState(text: string): void;
  };
  // biome-ignore lint/style/noDefaultExport: it is a CommonJS module.
  export default sdNotify;
}
