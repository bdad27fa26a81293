module @halomesh attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  // %arg0 input image f32[batch=1 depth=4 height=6 width=8 channel=1]
  // %arg1 variable down0/conv0/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=1 channel=2]
  // %arg2 variable down0/conv0/norm/gamma f32[channel=2]
  // %arg3 variable down0/conv0/norm/beta f32[channel=2]
  // %arg4 variable down0/conv1/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // %arg5 variable down0/conv1/norm/gamma f32[channel=2]
  // %arg6 variable down0/conv1/norm/beta f32[channel=2]
  // %arg7 variable down1/conv0/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=4]
  // %arg8 variable down1/conv0/norm/gamma f32[channel=4]
  // %arg9 variable down1/conv0/norm/beta f32[channel=4]
  // %arg10 variable down1/conv1/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=4 channel=4]
  // %arg11 variable down1/conv1/norm/gamma f32[channel=4]
  // %arg12 variable down1/conv1/norm/beta f32[channel=4]
  // %arg13 variable up0/transpose/weight f32[kernel_depth=2 kernel_height=2 kernel_width=2 channel=2 channel_in=4]
  // %arg14 variable up0/conv0/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=4 channel=2]
  // %arg15 variable up0/conv0/norm/gamma f32[channel=2]
  // %arg16 variable up0/conv0/norm/beta f32[channel=2]
  // %arg17 variable up0/conv1/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // %arg18 variable up0/conv1/norm/gamma f32[channel=2]
  // %arg19 variable up0/conv1/norm/beta f32[channel=2]
  // %arg20 variable output/weight f32[kernel_depth=1 kernel_height=1 kernel_width=1 channel_in=2 class=3]
  // %arg21 variable output/bias f32[class=3]
  // result 0 output labels u8[batch=1 depth=4 height=6 width=8]
  // result 1 output probabilities f32[batch=1 depth=4 height=6 width=8 class=3]
  func.func public @main(
    %arg0: tensor<1x4x6x8x1xf32>,
    %arg1: tensor<3x3x3x1x2xf32>,
    %arg2: tensor<2xf32>,
    %arg3: tensor<2xf32>,
    %arg4: tensor<3x3x3x2x2xf32>,
    %arg5: tensor<2xf32>,
    %arg6: tensor<2xf32>,
    %arg7: tensor<3x3x3x2x4xf32>,
    %arg8: tensor<4xf32>,
    %arg9: tensor<4xf32>,
    %arg10: tensor<3x3x3x4x4xf32>,
    %arg11: tensor<4xf32>,
    %arg12: tensor<4xf32>,
    %arg13: tensor<2x2x2x2x4xf32>,
    %arg14: tensor<3x3x3x4x2xf32>,
    %arg15: tensor<2xf32>,
    %arg16: tensor<2xf32>,
    %arg17: tensor<3x3x3x2x2xf32>,
    %arg18: tensor<2xf32>,
    %arg19: tensor<2xf32>,
    %arg20: tensor<1x1x1x2x3xf32>,
    %arg21: tensor<3xf32>
  ) -> (tensor<1x4x6x8xui8>, tensor<1x4x6x8x3xf32>) {
    // down0/conv0
    %0 = stablehlo.convolution(%arg0, %arg1) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<3x3x3x1x2xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv0/norm
    %1 = stablehlo.constant dense<0.005208333333333333> : tensor<f64>
    %2 = stablehlo.convert %0 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %3 = stablehlo.constant dense<0.0> : tensor<f64>
    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %5 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %6 = stablehlo.multiply %4, %5 : tensor<1x2xf64>
    %7 = stablehlo.multiply %0, %0 : tensor<1x4x6x8x2xf32>
    %8 = stablehlo.convert %7 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %9 = stablehlo.reduce(%8 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %10 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %11 = stablehlo.multiply %9, %10 : tensor<1x2xf64>
    %12 = stablehlo.multiply %6, %6 : tensor<1x2xf64>
    %13 = stablehlo.subtract %11, %12 : tensor<1x2xf64>
    %14 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %15 = stablehlo.maximum %13, %14 : tensor<1x2xf64>
    %16 = stablehlo.constant dense<0.00001> : tensor<f64>
    %17 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %18 = stablehlo.add %15, %17 : tensor<1x2xf64>
    %19 = stablehlo.rsqrt %18 : tensor<1x2xf64>
    %20 = stablehlo.convert %arg2 : (tensor<2xf32>) -> tensor<2xf64>
    %21 = stablehlo.convert %arg3 : (tensor<2xf32>) -> tensor<2xf64>
    %22 = stablehlo.broadcast_in_dim %20, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %23 = stablehlo.multiply %19, %22 : tensor<1x2xf64>
    %24 = stablehlo.multiply %6, %23 : tensor<1x2xf64>
    %25 = stablehlo.broadcast_in_dim %21, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %26 = stablehlo.subtract %25, %24 : tensor<1x2xf64>
    %27 = stablehlo.convert %23 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %28 = stablehlo.broadcast_in_dim %27, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %29 = stablehlo.multiply %0, %28 : tensor<1x4x6x8x2xf32>
    %30 = stablehlo.convert %26 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %31 = stablehlo.broadcast_in_dim %30, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %32 = stablehlo.add %29, %31 : tensor<1x4x6x8x2xf32>
    // down0/conv0
    %33 = stablehlo.constant dense<0.0> : tensor<1x4x6x8x2xf32>
    %34 = stablehlo.compare GT, %32, %33, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %35 = stablehlo.constant dense<0.1> : tensor<1x4x6x8x2xf32>
    %36 = stablehlo.multiply %32, %35 : tensor<1x4x6x8x2xf32>
    %37 = stablehlo.select %34, %32, %36 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // down0/conv1
    %38 = stablehlo.convolution(%37, %arg4) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv1/norm
    %39 = stablehlo.convert %38 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %40 = stablehlo.reduce(%39 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %41 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %42 = stablehlo.multiply %40, %41 : tensor<1x2xf64>
    %43 = stablehlo.multiply %38, %38 : tensor<1x4x6x8x2xf32>
    %44 = stablehlo.convert %43 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %45 = stablehlo.reduce(%44 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %46 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %47 = stablehlo.multiply %45, %46 : tensor<1x2xf64>
    %48 = stablehlo.multiply %42, %42 : tensor<1x2xf64>
    %49 = stablehlo.subtract %47, %48 : tensor<1x2xf64>
    %50 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %51 = stablehlo.maximum %49, %50 : tensor<1x2xf64>
    %52 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %53 = stablehlo.add %51, %52 : tensor<1x2xf64>
    %54 = stablehlo.rsqrt %53 : tensor<1x2xf64>
    %55 = stablehlo.convert %arg5 : (tensor<2xf32>) -> tensor<2xf64>
    %56 = stablehlo.convert %arg6 : (tensor<2xf32>) -> tensor<2xf64>
    %57 = stablehlo.broadcast_in_dim %55, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %58 = stablehlo.multiply %54, %57 : tensor<1x2xf64>
    %59 = stablehlo.multiply %42, %58 : tensor<1x2xf64>
    %60 = stablehlo.broadcast_in_dim %56, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %61 = stablehlo.subtract %60, %59 : tensor<1x2xf64>
    %62 = stablehlo.convert %58 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %64 = stablehlo.multiply %38, %63 : tensor<1x4x6x8x2xf32>
    %65 = stablehlo.convert %61 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %66 = stablehlo.broadcast_in_dim %65, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %67 = stablehlo.add %64, %66 : tensor<1x4x6x8x2xf32>
    // down0/conv1
    %68 = stablehlo.compare GT, %67, %33, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %69 = stablehlo.multiply %67, %35 : tensor<1x4x6x8x2xf32>
    %70 = stablehlo.select %68, %67, %69 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // down1
    %71 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %72 = "stablehlo.reduce_window"(%70, %71) <{padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<5x2xi64>, window_dilations = array<i64: 1, 1, 1, 1, 1>, window_dimensions = array<i64: 1, 2, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 2, 1>}> ({
    ^bb0(%73: tensor<f32>, %74: tensor<f32>):
      %75 = stablehlo.maximum %73, %74 : tensor<f32>
      stablehlo.return %75 : tensor<f32>
    }) : (tensor<1x4x6x8x2xf32>, tensor<f32>) -> tensor<1x2x3x4x2xf32>
    // down1/conv0
    %76 = stablehlo.convolution(%72, %arg7) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x3x4x2xf32>, tensor<3x3x3x2x4xf32>) -> tensor<1x2x3x4x4xf32>
    // down1/conv0/norm
    %77 = stablehlo.constant dense<0.041666666666666664> : tensor<f64>
    %78 = stablehlo.convert %76 : (tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf64>
    %79 = stablehlo.reduce(%78 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
    %80 = stablehlo.broadcast_in_dim %77, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %81 = stablehlo.multiply %79, %80 : tensor<1x4xf64>
    %82 = stablehlo.multiply %76, %76 : tensor<1x2x3x4x4xf32>
    %83 = stablehlo.convert %82 : (tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf64>
    %84 = stablehlo.reduce(%83 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
    %85 = stablehlo.broadcast_in_dim %77, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %86 = stablehlo.multiply %84, %85 : tensor<1x4xf64>
    %87 = stablehlo.multiply %81, %81 : tensor<1x4xf64>
    %88 = stablehlo.subtract %86, %87 : tensor<1x4xf64>
    %89 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %90 = stablehlo.maximum %88, %89 : tensor<1x4xf64>
    %91 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %92 = stablehlo.add %90, %91 : tensor<1x4xf64>
    %93 = stablehlo.rsqrt %92 : tensor<1x4xf64>
    %94 = stablehlo.convert %arg8 : (tensor<4xf32>) -> tensor<4xf64>
    %95 = stablehlo.convert %arg9 : (tensor<4xf32>) -> tensor<4xf64>
    %96 = stablehlo.broadcast_in_dim %94, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
    %97 = stablehlo.multiply %93, %96 : tensor<1x4xf64>
    %98 = stablehlo.multiply %81, %97 : tensor<1x4xf64>
    %99 = stablehlo.broadcast_in_dim %95, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
    %100 = stablehlo.subtract %99, %98 : tensor<1x4xf64>
    %101 = stablehlo.convert %97 : (tensor<1x4xf64>) -> tensor<1x4xf32>
    %102 = stablehlo.broadcast_in_dim %101, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x2x3x4x4xf32>
    %103 = stablehlo.multiply %76, %102 : tensor<1x2x3x4x4xf32>
    %104 = stablehlo.convert %100 : (tensor<1x4xf64>) -> tensor<1x4xf32>
    %105 = stablehlo.broadcast_in_dim %104, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x2x3x4x4xf32>
    %106 = stablehlo.add %103, %105 : tensor<1x2x3x4x4xf32>
    // down1/conv0
    %107 = stablehlo.constant dense<0.0> : tensor<1x2x3x4x4xf32>
    %108 = stablehlo.compare GT, %106, %107, FLOAT : (tensor<1x2x3x4x4xf32>, tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xi1>
    %109 = stablehlo.constant dense<0.1> : tensor<1x2x3x4x4xf32>
    %110 = stablehlo.multiply %106, %109 : tensor<1x2x3x4x4xf32>
    %111 = stablehlo.select %108, %106, %110 : tensor<1x2x3x4x4xi1>, tensor<1x2x3x4x4xf32>
    // down1/conv1
    %112 = stablehlo.convolution(%111, %arg10) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x3x4x4xf32>, tensor<3x3x3x4x4xf32>) -> tensor<1x2x3x4x4xf32>
    // down1/conv1/norm
    %113 = stablehlo.convert %112 : (tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf64>
    %114 = stablehlo.reduce(%113 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
    %115 = stablehlo.broadcast_in_dim %77, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %116 = stablehlo.multiply %114, %115 : tensor<1x4xf64>
    %117 = stablehlo.multiply %112, %112 : tensor<1x2x3x4x4xf32>
    %118 = stablehlo.convert %117 : (tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf64>
    %119 = stablehlo.reduce(%118 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
    %120 = stablehlo.broadcast_in_dim %77, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %121 = stablehlo.multiply %119, %120 : tensor<1x4xf64>
    %122 = stablehlo.multiply %116, %116 : tensor<1x4xf64>
    %123 = stablehlo.subtract %121, %122 : tensor<1x4xf64>
    %124 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %125 = stablehlo.maximum %123, %124 : tensor<1x4xf64>
    %126 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
    %127 = stablehlo.add %125, %126 : tensor<1x4xf64>
    %128 = stablehlo.rsqrt %127 : tensor<1x4xf64>
    %129 = stablehlo.convert %arg11 : (tensor<4xf32>) -> tensor<4xf64>
    %130 = stablehlo.convert %arg12 : (tensor<4xf32>) -> tensor<4xf64>
    %131 = stablehlo.broadcast_in_dim %129, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
    %132 = stablehlo.multiply %128, %131 : tensor<1x4xf64>
    %133 = stablehlo.multiply %116, %132 : tensor<1x4xf64>
    %134 = stablehlo.broadcast_in_dim %130, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
    %135 = stablehlo.subtract %134, %133 : tensor<1x4xf64>
    %136 = stablehlo.convert %132 : (tensor<1x4xf64>) -> tensor<1x4xf32>
    %137 = stablehlo.broadcast_in_dim %136, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x2x3x4x4xf32>
    %138 = stablehlo.multiply %112, %137 : tensor<1x2x3x4x4xf32>
    %139 = stablehlo.convert %135 : (tensor<1x4xf64>) -> tensor<1x4xf32>
    %140 = stablehlo.broadcast_in_dim %139, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x2x3x4x4xf32>
    %141 = stablehlo.add %138, %140 : tensor<1x2x3x4x4xf32>
    // down1/conv1
    %142 = stablehlo.compare GT, %141, %107, FLOAT : (tensor<1x2x3x4x4xf32>, tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xi1>
    %143 = stablehlo.multiply %141, %109 : tensor<1x2x3x4x4xf32>
    %144 = stablehlo.select %142, %141, %143 : tensor<1x2x3x4x4xi1>, tensor<1x2x3x4x4xf32>
    // up0/transpose
    %145 = stablehlo.reverse %arg13, dims = [0, 1, 2] : tensor<2x2x2x2x4xf32>
    %146 = stablehlo.convolution(%144, %145) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [2, 2, 2], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x3x4x4xf32>, tensor<2x2x2x2x4xf32>) -> tensor<1x4x6x8x2xf32>
    // up0
    %147 = stablehlo.concatenate %146, %70, dim = 4 : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x4xf32>
    // up0/conv0
    %148 = stablehlo.convolution(%147, %arg14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x4xf32>, tensor<3x3x3x4x2xf32>) -> tensor<1x4x6x8x2xf32>
    // up0/conv0/norm
    %149 = stablehlo.convert %148 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %150 = stablehlo.reduce(%149 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %151 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %152 = stablehlo.multiply %150, %151 : tensor<1x2xf64>
    %153 = stablehlo.multiply %148, %148 : tensor<1x4x6x8x2xf32>
    %154 = stablehlo.convert %153 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %155 = stablehlo.reduce(%154 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %156 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %157 = stablehlo.multiply %155, %156 : tensor<1x2xf64>
    %158 = stablehlo.multiply %152, %152 : tensor<1x2xf64>
    %159 = stablehlo.subtract %157, %158 : tensor<1x2xf64>
    %160 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %161 = stablehlo.maximum %159, %160 : tensor<1x2xf64>
    %162 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %163 = stablehlo.add %161, %162 : tensor<1x2xf64>
    %164 = stablehlo.rsqrt %163 : tensor<1x2xf64>
    %165 = stablehlo.convert %arg15 : (tensor<2xf32>) -> tensor<2xf64>
    %166 = stablehlo.convert %arg16 : (tensor<2xf32>) -> tensor<2xf64>
    %167 = stablehlo.broadcast_in_dim %165, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %168 = stablehlo.multiply %164, %167 : tensor<1x2xf64>
    %169 = stablehlo.multiply %152, %168 : tensor<1x2xf64>
    %170 = stablehlo.broadcast_in_dim %166, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %171 = stablehlo.subtract %170, %169 : tensor<1x2xf64>
    %172 = stablehlo.convert %168 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %173 = stablehlo.broadcast_in_dim %172, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %174 = stablehlo.multiply %148, %173 : tensor<1x4x6x8x2xf32>
    %175 = stablehlo.convert %171 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %176 = stablehlo.broadcast_in_dim %175, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %177 = stablehlo.add %174, %176 : tensor<1x4x6x8x2xf32>
    // up0/conv0
    %178 = stablehlo.compare GT, %177, %33, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %179 = stablehlo.multiply %177, %35 : tensor<1x4x6x8x2xf32>
    %180 = stablehlo.select %178, %177, %179 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // up0/conv1
    %181 = stablehlo.convolution(%180, %arg17) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x4x6x8x2xf32>
    // up0/conv1/norm
    %182 = stablehlo.convert %181 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %183 = stablehlo.reduce(%182 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %184 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %185 = stablehlo.multiply %183, %184 : tensor<1x2xf64>
    %186 = stablehlo.multiply %181, %181 : tensor<1x4x6x8x2xf32>
    %187 = stablehlo.convert %186 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %188 = stablehlo.reduce(%187 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
    %189 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %190 = stablehlo.multiply %188, %189 : tensor<1x2xf64>
    %191 = stablehlo.multiply %185, %185 : tensor<1x2xf64>
    %192 = stablehlo.subtract %190, %191 : tensor<1x2xf64>
    %193 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %194 = stablehlo.maximum %192, %193 : tensor<1x2xf64>
    %195 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
    %196 = stablehlo.add %194, %195 : tensor<1x2xf64>
    %197 = stablehlo.rsqrt %196 : tensor<1x2xf64>
    %198 = stablehlo.convert %arg18 : (tensor<2xf32>) -> tensor<2xf64>
    %199 = stablehlo.convert %arg19 : (tensor<2xf32>) -> tensor<2xf64>
    %200 = stablehlo.broadcast_in_dim %198, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %201 = stablehlo.multiply %197, %200 : tensor<1x2xf64>
    %202 = stablehlo.multiply %185, %201 : tensor<1x2xf64>
    %203 = stablehlo.broadcast_in_dim %199, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
    %204 = stablehlo.subtract %203, %202 : tensor<1x2xf64>
    %205 = stablehlo.convert %201 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %206 = stablehlo.broadcast_in_dim %205, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %207 = stablehlo.multiply %181, %206 : tensor<1x4x6x8x2xf32>
    %208 = stablehlo.convert %204 : (tensor<1x2xf64>) -> tensor<1x2xf32>
    %209 = stablehlo.broadcast_in_dim %208, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
    %210 = stablehlo.add %207, %209 : tensor<1x4x6x8x2xf32>
    // up0/conv1
    %211 = stablehlo.compare GT, %210, %33, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %212 = stablehlo.multiply %210, %35 : tensor<1x4x6x8x2xf32>
    %213 = stablehlo.select %211, %210, %212 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // output
    %214 = stablehlo.convolution(%213, %arg20) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x4x6x8x3xf32>
    %215 = stablehlo.broadcast_in_dim %arg21, dims = [4] : (tensor<3xf32>) -> tensor<1x4x6x8x3xf32>
    %216 = stablehlo.add %214, %215 : tensor<1x4x6x8x3xf32>
    // 
    %217 = stablehlo.constant dense<0xFF800000> : tensor<1x4x6x8x3xf32>
    %218 = stablehlo.compare EQ, %216, %216, FLOAT : (tensor<1x4x6x8x3xf32>, tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x3xi1>
    %219 = stablehlo.select %218, %216, %217 : tensor<1x4x6x8x3xi1>, tensor<1x4x6x8x3xf32>
    %220 = stablehlo.reduce(%219 init: %71) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %221 = stablehlo.broadcast_in_dim %220, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %222 = stablehlo.compare EQ, %219, %221, FLOAT : (tensor<1x4x6x8x3xf32>, tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x3xi1>
    %223 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %224 = stablehlo.constant dense<2> : tensor<1x4x6x8x3xi32>
    %225 = stablehlo.select %222, %223, %224 : tensor<1x4x6x8x3xi1>, tensor<1x4x6x8x3xi32>
    %226 = stablehlo.constant dense<2> : tensor<i32>
    %227 = stablehlo.reduce(%225 init: %226) applies stablehlo.minimum across dimensions = [4] : (tensor<1x4x6x8x3xi32>, tensor<i32>) -> tensor<1x4x6x8xi32>
    %228 = stablehlo.convert %227 : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8xui8>
    %229 = stablehlo.reduce(%216 init: %71) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %230 = stablehlo.broadcast_in_dim %229, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %231 = stablehlo.subtract %216, %230 : tensor<1x4x6x8x3xf32>
    %232 = stablehlo.exponential %231 : tensor<1x4x6x8x3xf32>
    %233 = stablehlo.constant dense<0.0> : tensor<f32>
    %234 = stablehlo.reduce(%232 init: %233) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %235 = stablehlo.log %234 : tensor<1x4x6x8xf32>
    %236 = stablehlo.broadcast_in_dim %235, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %237 = stablehlo.subtract %231, %236 : tensor<1x4x6x8x3xf32>
    %238 = stablehlo.exponential %237 : tensor<1x4x6x8x3xf32>
    return %228, %238 : tensor<1x4x6x8xui8>, tensor<1x4x6x8x3xf32>
  }
}
