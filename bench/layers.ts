/** One convolution to measure. */
export interface Layer {
  readonly name: string;
  /** Channels of the inputs that it sees one after the other. */
  readonly from: readonly number[];
  readonly to: number;
  /** Voxels along each side of the input. */
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before each side. */
  readonly pad: number;
  /** Its transpose: an upsampling layer. */
  readonly transposed: boolean;
  /** Held to the target share of the peak. */
  readonly target: boolean;
}

/** Share of the multiply-add peak that 3x3x3 convolutions of 16 to 128 channels are to reach, forward and both gradients. */
export const TARGET = 0.65;

type Shape = Pick<Layer, 'from' | 'to' | 'size'> & Partial<Layer>;

function layer({
  kernel = 3,
  stride = 1,
  dilation = 1,
  transposed = false,
  target = false,
  ...rest
}: Shape): Layer {
  const pad = rest.pad ?? (transposed || stride === kernel ? 0 : Math.floor((dilation * (kernel - 1)) / 2));
  const cube = [kernel, kernel, kernel].join('x');
  const how = [
    transposed ? 'transposed' : '',
    cube,
    stride > 1 ? `stride ${stride}` : '',
    dilation > 1 ? `dilation ${dilation}` : '',
  ];
  const name = `${how.filter((word) => word !== '').join(' ')}, ${rest.from.join('+')} to ${rest.to}, ${rest.size}^3`;
  return { name, kernel, stride, dilation, transposed, target, ...rest, pad };
}

/** The convolutions of the U-Net at base 16 for a volume of `size` voxels a side, then kernels of other kinds. */
export function layers(size: number): Layer[] {
  const half = size / 2;
  const plain = [16, 32, 64, 128].map((n, level) =>
    layer({ from: [n], to: n, size: size / 2 ** level, target: true }),
  );
  const joined = [16, 32].map((n, level) =>
    layer({ from: [n, n], to: n, size: size / 2 ** level, target: true }),
  );
  return [
    ...plain,
    ...joined,
    layer({ from: [1], to: 16, size }),
    layer({ from: [8], to: 8, size }),
    layer({ from: [16], to: 3, size, kernel: 1 }),
    layer({ from: [32], to: 16, size: half, kernel: 2, stride: 2, transposed: true }),
    layer({ from: [16], to: 16, size: half, kernel: 5 }),
    layer({ from: [16], to: 16, size: half, kernel: 7 }),
    layer({ from: [16], to: 16, size: half, dilation: 2 }),
    layer({ from: [16], to: 32, size, stride: 2 }),
    layer({ from: [16], to: 32, size, kernel: 4, stride: 2 }),
  ];
}

/** Voxels along each side of the output. */
export function outputSize({ size, kernel, stride, dilation, pad, transposed }: Layer): number {
  if (transposed) return (size - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1;
  return Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;
}
