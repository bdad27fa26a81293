// What is used of the codecs' modules, which come without types.

declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  const load: import('./wasm-codec.ts').LoadCodec<'J2KDecoder'>;
  export default load;
}

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  const load: import('./wasm-codec.ts').LoadCodec<'JpegLSDecoder'>;
  export default load;
}
