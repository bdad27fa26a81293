import path from 'node:path';
import { defineConfig, type Plugin } from 'vite';

// The page of `halomesh view`: one script and one style sheet beside index.html, named relative to it, so that it works at any
// address and can be written into one file.
export default defineConfig({
  plugins: [withoutGradients()],
  root: import.meta.dirname,
  base: './',
  build: {
    outDir: path.resolve(import.meta.dirname, '..', 'dist', 'web'),
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 2 ** 24,
    chunkSizeWarningLimit: 8192,
    rolldownOptions: { output: { codeSplitting: false } },
  },
});

/**
 * NiiVue works out the gradients of a scan whenever a window changes, slice by slice, for lights that this page does not have: they
 * would take as much memory of the GPU as two scans, and most of the time where there is no GPU. An order of 0 asks for none.
 */
function withoutGradients(): Plugin {
  const head = 'function gradientGL(params) {';
  return {
    name: 'without-gradients',
    transform(code, id) {
      if (!/@niivue\/niivue\/build\/niivue\/index\.js$/.test(id)) return undefined;
      if (code.split(head).length !== 2)
        throw new Error(`NiiVue has another ${head} than this page was made for`);
      return { code: code.replace(head, `${head} if (params.gradientOrder === 0) return null;`), map: null };
    },
  };
}
