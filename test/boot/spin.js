// Has a Node process spin for ever, by its debugger (NODE_OPTIONS=--inspect): node --experimental-websocket spin.js
const [{ webSocketDebuggerUrl }] = await (await fetch('http://127.0.0.1:9229/json/list')).json();
const debuggerOf = new WebSocket(webSocketDebuggerUrl);
debuggerOf.onopen = () => {
  debuggerOf.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression: 'for (;;);' } }));
  // It gets no answer any more.
  setTimeout(() => process.exit(0), 1_000);
};
