// Hands what the script asks for to a worker, one thing at a time.
let worker;
window.begin = () => {
  worker?.terminate();
  worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
};
window.ask = (asked) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) =>
      data.error === undefined ? resolve(data) : reject(new Error(data.error));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(asked);
  });
window.begin();
document.body.dataset.ready = 'yes';
