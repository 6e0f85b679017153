/** The default metrics of prom-client, which has no types for them. */
declare module 'prom-client/lib/metrics/*.js' {
  const register: (registry: object) => void;
  export = register;
}
