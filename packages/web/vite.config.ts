import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

const page = (name: string) => fileURLToPath(new URL(`${name}.html`, import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [tailwindcss()],
  resolve: { conditions: ['@sallyport/source', 'browser', 'module', 'import', 'default'] },
  build: {
    target: 'es2022',
    reportCompressedSize: false,
    rolldownOptions: { input: { desk: page('desk'), device: page('device') } },
  },
});
