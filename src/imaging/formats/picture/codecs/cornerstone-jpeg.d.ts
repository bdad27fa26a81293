// What is used of the codec's module, which comes without types.

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  const load: import('../../dicom/codecs/wasm-codec.ts').LoadCodec<'JPEGDecoder'>;
  export default load;
}
