// All that JupyterLab needs of a prebuilt extension that is but a style sheet: no build step, no other code.
(() => {
  const sheet = new URL("look.css", document.currentScript.src).href;
  const load = () =>
    new Promise(done => {
      const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: sheet });
      link.onload = link.onerror = () => done(() => ({})); // without the style the page still starts
      document.head.append(link);
    });
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["serverless-order-workbook"] = { init: () => {}, get: load };
})();
