module @halomesh attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  // %arg0 input image f32[batch=1 depth=4 height=6 width=8 channel=1]
  // %arg1 input step i32[]
  // %arg2 input learning_rate f64[]
  // %arg3 input labels u8[batch=1 depth=4 height=6 width=8]
  // %arg4 variable down0/conv0/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=1 channel=2]
  // %arg5 variable down0/conv0/norm/moving_mean f32[channel=2]
  // %arg6 variable down0/conv0/norm/moving_variance f32[channel=2]
  // %arg7 variable down0/conv0/norm/gamma f32[channel=2]
  // %arg8 variable down0/conv0/norm/beta f32[channel=2]
  // %arg9 variable down0/conv1/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // %arg10 variable down0/conv1/norm/moving_mean f32[channel=2]
  // %arg11 variable down0/conv1/norm/moving_variance f32[channel=2]
  // %arg12 variable down0/conv1/norm/gamma f32[channel=2]
  // %arg13 variable down0/conv1/norm/beta f32[channel=2]
  // %arg14 variable output/weight f32[kernel_depth=1 kernel_height=1 kernel_width=1 channel_in=2 class=3]
  // %arg15 variable output/bias f32[class=3]
  // %arg16 variable down0/conv0/weight/sgd/m f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=1 channel=2]
  // %arg17 variable down0/conv0/norm/gamma/sgd/m f32[channel=2]
  // %arg18 variable down0/conv0/norm/beta/sgd/m f32[channel=2]
  // %arg19 variable down0/conv1/weight/sgd/m f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // %arg20 variable down0/conv1/norm/gamma/sgd/m f32[channel=2]
  // %arg21 variable down0/conv1/norm/beta/sgd/m f32[channel=2]
  // %arg22 variable output/weight/sgd/m f32[kernel_depth=1 kernel_height=1 kernel_width=1 channel_in=2 class=3]
  // %arg23 variable output/bias/sgd/m f32[class=3]
  // result 0 output loss f64[]
  // result 1 output cross_entropy f64[]
  // result 2 output dice_case f64[]
  // result 3 output dice_global f64[]
  // result 4 output soft_dice_2 f64[]
  // result 5 output count_both f64[batch=1 class=3]
  // result 6 output count_predicted f64[batch=1 class=3]
  // result 7 output count_true f64[batch=1 class=3]
  // result 8 variable down0/conv0/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=1 channel=2]
  // result 9 variable down0/conv0/norm/moving_mean f32[channel=2]
  // result 10 variable down0/conv0/norm/moving_variance f32[channel=2]
  // result 11 variable down0/conv0/norm/gamma f32[channel=2]
  // result 12 variable down0/conv0/norm/beta f32[channel=2]
  // result 13 variable down0/conv1/weight f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // result 14 variable down0/conv1/norm/moving_mean f32[channel=2]
  // result 15 variable down0/conv1/norm/moving_variance f32[channel=2]
  // result 16 variable down0/conv1/norm/gamma f32[channel=2]
  // result 17 variable down0/conv1/norm/beta f32[channel=2]
  // result 18 variable output/weight f32[kernel_depth=1 kernel_height=1 kernel_width=1 channel_in=2 class=3]
  // result 19 variable output/bias f32[class=3]
  // result 20 variable down0/conv0/weight/sgd/m f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=1 channel=2]
  // result 21 variable down0/conv0/norm/gamma/sgd/m f32[channel=2]
  // result 22 variable down0/conv0/norm/beta/sgd/m f32[channel=2]
  // result 23 variable down0/conv1/weight/sgd/m f32[kernel_depth=3 kernel_height=3 kernel_width=3 channel_in=2 channel=2]
  // result 24 variable down0/conv1/norm/gamma/sgd/m f32[channel=2]
  // result 25 variable down0/conv1/norm/beta/sgd/m f32[channel=2]
  // result 26 variable output/weight/sgd/m f32[kernel_depth=1 kernel_height=1 kernel_width=1 channel_in=2 class=3]
  // result 27 variable output/bias/sgd/m f32[class=3]
  func.func public @main(
    %arg0: tensor<1x4x6x8x1xf32>,
    %arg1: tensor<i32>,
    %arg2: tensor<f64>,
    %arg3: tensor<1x4x6x8xui8>,
    %arg4: tensor<3x3x3x1x2xf32> {tf.aliasing_output = 8 : i32},
    %arg5: tensor<2xf32> {tf.aliasing_output = 9 : i32},
    %arg6: tensor<2xf32> {tf.aliasing_output = 10 : i32},
    %arg7: tensor<2xf32> {tf.aliasing_output = 11 : i32},
    %arg8: tensor<2xf32> {tf.aliasing_output = 12 : i32},
    %arg9: tensor<3x3x3x2x2xf32> {tf.aliasing_output = 13 : i32},
    %arg10: tensor<2xf32> {tf.aliasing_output = 14 : i32},
    %arg11: tensor<2xf32> {tf.aliasing_output = 15 : i32},
    %arg12: tensor<2xf32> {tf.aliasing_output = 16 : i32},
    %arg13: tensor<2xf32> {tf.aliasing_output = 17 : i32},
    %arg14: tensor<1x1x1x2x3xf32> {tf.aliasing_output = 18 : i32},
    %arg15: tensor<3xf32> {tf.aliasing_output = 19 : i32},
    %arg16: tensor<3x3x3x1x2xf32> {tf.aliasing_output = 20 : i32},
    %arg17: tensor<2xf32> {tf.aliasing_output = 21 : i32},
    %arg18: tensor<2xf32> {tf.aliasing_output = 22 : i32},
    %arg19: tensor<3x3x3x2x2xf32> {tf.aliasing_output = 23 : i32},
    %arg20: tensor<2xf32> {tf.aliasing_output = 24 : i32},
    %arg21: tensor<2xf32> {tf.aliasing_output = 25 : i32},
    %arg22: tensor<1x1x1x2x3xf32> {tf.aliasing_output = 26 : i32},
    %arg23: tensor<3xf32> {tf.aliasing_output = 27 : i32}
  ) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>) {
    // down0/conv0
    %0 = stablehlo.convolution(%arg0, %arg4) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<3x3x3x1x2xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv0/norm
    %1 = stablehlo.constant dense<0.005208333333333333> : tensor<f64>
    %2 = stablehlo.convert %0 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %3 = stablehlo.constant dense<0.0> : tensor<f64>
    %4 = stablehlo.reduce(%2 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %5 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %6 = stablehlo.multiply %4, %5 : tensor<2xf64>
    %7 = stablehlo.multiply %0, %0 : tensor<1x4x6x8x2xf32>
    %8 = stablehlo.convert %7 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %9 = stablehlo.reduce(%8 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %10 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %11 = stablehlo.multiply %9, %10 : tensor<2xf64>
    %12 = stablehlo.multiply %6, %6 : tensor<2xf64>
    %13 = stablehlo.subtract %11, %12 : tensor<2xf64>
    %14 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %15 = stablehlo.maximum %13, %14 : tensor<2xf64>
    %16 = stablehlo.constant dense<0.09999999999999998> : tensor<f64>
    %17 = stablehlo.constant dense<0.9> : tensor<f64>
    %18 = stablehlo.convert %arg5 : (tensor<2xf32>) -> tensor<2xf64>
    %19 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %20 = stablehlo.multiply %18, %19 : tensor<2xf64>
    %21 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %22 = stablehlo.multiply %6, %21 : tensor<2xf64>
    %23 = stablehlo.add %20, %22 : tensor<2xf64>
    %24 = stablehlo.convert %arg6 : (tensor<2xf32>) -> tensor<2xf64>
    %25 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %26 = stablehlo.multiply %24, %25 : tensor<2xf64>
    %27 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %28 = stablehlo.multiply %15, %27 : tensor<2xf64>
    %29 = stablehlo.add %26, %28 : tensor<2xf64>
    %30 = stablehlo.constant dense<0.000001> : tensor<f64>
    %31 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %32 = stablehlo.add %15, %31 : tensor<2xf64>
    %33 = stablehlo.rsqrt %32 : tensor<2xf64>
    %34 = stablehlo.convert %arg7 : (tensor<2xf32>) -> tensor<2xf64>
    %35 = stablehlo.convert %arg8 : (tensor<2xf32>) -> tensor<2xf64>
    %36 = stablehlo.multiply %33, %34 : tensor<2xf64>
    %37 = stablehlo.multiply %6, %36 : tensor<2xf64>
    %38 = stablehlo.subtract %35, %37 : tensor<2xf64>
    %39 = stablehlo.convert %36 : (tensor<2xf64>) -> tensor<2xf32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %41 = stablehlo.multiply %0, %40 : tensor<1x4x6x8x2xf32>
    %42 = stablehlo.convert %38 : (tensor<2xf64>) -> tensor<2xf32>
    %43 = stablehlo.broadcast_in_dim %42, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %44 = stablehlo.add %41, %43 : tensor<1x4x6x8x2xf32>
    // down0/conv0
    %45 = stablehlo.constant dense<0.0> : tensor<1x4x6x8x2xf32>
    %46 = stablehlo.compare GT, %44, %45, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %47 = stablehlo.constant dense<0.1> : tensor<1x4x6x8x2xf32>
    %48 = stablehlo.multiply %44, %47 : tensor<1x4x6x8x2xf32>
    %49 = stablehlo.select %46, %44, %48 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // down0/conv1
    %50 = stablehlo.convolution(%49, %arg9) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv1/norm
    %51 = stablehlo.convert %50 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %52 = stablehlo.reduce(%51 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %53 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %54 = stablehlo.multiply %52, %53 : tensor<2xf64>
    %55 = stablehlo.multiply %50, %50 : tensor<1x4x6x8x2xf32>
    %56 = stablehlo.convert %55 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %57 = stablehlo.reduce(%56 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %58 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %59 = stablehlo.multiply %57, %58 : tensor<2xf64>
    %60 = stablehlo.multiply %54, %54 : tensor<2xf64>
    %61 = stablehlo.subtract %59, %60 : tensor<2xf64>
    %62 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %63 = stablehlo.maximum %61, %62 : tensor<2xf64>
    %64 = stablehlo.convert %arg10 : (tensor<2xf32>) -> tensor<2xf64>
    %65 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %66 = stablehlo.multiply %64, %65 : tensor<2xf64>
    %67 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %68 = stablehlo.multiply %54, %67 : tensor<2xf64>
    %69 = stablehlo.add %66, %68 : tensor<2xf64>
    %70 = stablehlo.convert %arg11 : (tensor<2xf32>) -> tensor<2xf64>
    %71 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %72 = stablehlo.multiply %70, %71 : tensor<2xf64>
    %73 = stablehlo.broadcast_in_dim %16, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %74 = stablehlo.multiply %63, %73 : tensor<2xf64>
    %75 = stablehlo.add %72, %74 : tensor<2xf64>
    %76 = stablehlo.broadcast_in_dim %30, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %77 = stablehlo.add %63, %76 : tensor<2xf64>
    %78 = stablehlo.rsqrt %77 : tensor<2xf64>
    %79 = stablehlo.convert %arg12 : (tensor<2xf32>) -> tensor<2xf64>
    %80 = stablehlo.convert %arg13 : (tensor<2xf32>) -> tensor<2xf64>
    %81 = stablehlo.multiply %78, %79 : tensor<2xf64>
    %82 = stablehlo.multiply %54, %81 : tensor<2xf64>
    %83 = stablehlo.subtract %80, %82 : tensor<2xf64>
    %84 = stablehlo.convert %81 : (tensor<2xf64>) -> tensor<2xf32>
    %85 = stablehlo.broadcast_in_dim %84, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %86 = stablehlo.multiply %50, %85 : tensor<1x4x6x8x2xf32>
    %87 = stablehlo.convert %83 : (tensor<2xf64>) -> tensor<2xf32>
    %88 = stablehlo.broadcast_in_dim %87, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %89 = stablehlo.add %86, %88 : tensor<1x4x6x8x2xf32>
    // down0/conv1
    %90 = stablehlo.compare GT, %89, %45, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %91 = stablehlo.multiply %89, %47 : tensor<1x4x6x8x2xf32>
    %92 = stablehlo.select %90, %89, %91 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    %93 = stablehlo.iota dim = 0 : tensor<1xi32>
    %94 = stablehlo.convert %93 : (tensor<1xi32>) -> tensor<1xui32>
    %95 = stablehlo.constant dense<384> : tensor<1xui32>
    %96 = stablehlo.multiply %94, %95 : tensor<1xui32>
    %97 = stablehlo.broadcast_in_dim %96, dims = [0] : (tensor<1xui32>) -> tensor<1x4x6x8x2xui32>
    %98 = stablehlo.iota dim = 0 : tensor<4xi32>
    %99 = stablehlo.convert %98 : (tensor<4xi32>) -> tensor<4xui32>
    %100 = stablehlo.constant dense<96> : tensor<4xui32>
    %101 = stablehlo.multiply %99, %100 : tensor<4xui32>
    %102 = stablehlo.broadcast_in_dim %101, dims = [1] : (tensor<4xui32>) -> tensor<1x4x6x8x2xui32>
    %103 = stablehlo.iota dim = 0 : tensor<6xi32>
    %104 = stablehlo.convert %103 : (tensor<6xi32>) -> tensor<6xui32>
    %105 = stablehlo.constant dense<16> : tensor<6xui32>
    %106 = stablehlo.multiply %104, %105 : tensor<6xui32>
    %107 = stablehlo.broadcast_in_dim %106, dims = [2] : (tensor<6xui32>) -> tensor<1x4x6x8x2xui32>
    %108 = stablehlo.iota dim = 0 : tensor<8xi32>
    %109 = stablehlo.convert %108 : (tensor<8xi32>) -> tensor<8xui32>
    %110 = stablehlo.constant dense<2> : tensor<8xui32>
    %111 = stablehlo.multiply %109, %110 : tensor<8xui32>
    %112 = stablehlo.broadcast_in_dim %111, dims = [3] : (tensor<8xui32>) -> tensor<1x4x6x8x2xui32>
    %113 = stablehlo.iota dim = 0 : tensor<2xi32>
    %114 = stablehlo.convert %113 : (tensor<2xi32>) -> tensor<2xui32>
    %115 = stablehlo.constant dense<1> : tensor<2xui32>
    %116 = stablehlo.multiply %114, %115 : tensor<2xui32>
    %117 = stablehlo.broadcast_in_dim %116, dims = [4] : (tensor<2xui32>) -> tensor<1x4x6x8x2xui32>
    %118 = stablehlo.add %97, %102 : tensor<1x4x6x8x2xui32>
    %119 = stablehlo.add %118, %107 : tensor<1x4x6x8x2xui32>
    %120 = stablehlo.add %119, %112 : tensor<1x4x6x8x2xui32>
    %121 = stablehlo.add %120, %117 : tensor<1x4x6x8x2xui32>
    %122 = stablehlo.constant dense<3578996390> : tensor<1x4x6x8x2xui32>
    %123 = stablehlo.convert %arg1 : (tensor<i32>) -> tensor<ui32>
    %124 = stablehlo.constant dense<2246822507> : tensor<ui32>
    %125 = stablehlo.add %123, %124 : tensor<ui32>
    %126 = stablehlo.constant dense<16> : tensor<ui32>
    %127 = stablehlo.shift_right_logical %125, %126 : tensor<ui32>
    %128 = stablehlo.xor %125, %127 : tensor<ui32>
    %129 = stablehlo.constant dense<569420461> : tensor<ui32>
    %130 = stablehlo.multiply %128, %129 : tensor<ui32>
    %131 = stablehlo.constant dense<15> : tensor<ui32>
    %132 = stablehlo.shift_right_logical %130, %131 : tensor<ui32>
    %133 = stablehlo.xor %130, %132 : tensor<ui32>
    %134 = stablehlo.constant dense<3545902487> : tensor<ui32>
    %135 = stablehlo.multiply %133, %134 : tensor<ui32>
    %136 = stablehlo.shift_right_logical %135, %131 : tensor<ui32>
    %137 = stablehlo.xor %135, %136 : tensor<ui32>
    %138 = stablehlo.constant dense<763881599> : tensor<ui32>
    %139 = stablehlo.xor %137, %138 : tensor<ui32>
    %140 = stablehlo.shift_right_logical %139, %126 : tensor<ui32>
    %141 = stablehlo.xor %139, %140 : tensor<ui32>
    %142 = stablehlo.multiply %141, %129 : tensor<ui32>
    %143 = stablehlo.shift_right_logical %142, %131 : tensor<ui32>
    %144 = stablehlo.xor %142, %143 : tensor<ui32>
    %145 = stablehlo.multiply %144, %134 : tensor<ui32>
    %146 = stablehlo.shift_right_logical %145, %131 : tensor<ui32>
    %147 = stablehlo.xor %145, %146 : tensor<ui32>
    %148 = stablehlo.broadcast_in_dim %147, dims = [] : (tensor<ui32>) -> tensor<1x4x6x8x2xui32>
    %149 = stablehlo.xor %121, %122 : tensor<1x4x6x8x2xui32>
    %150 = stablehlo.constant dense<16> : tensor<1x4x6x8x2xui32>
    %151 = stablehlo.shift_right_logical %149, %150 : tensor<1x4x6x8x2xui32>
    %152 = stablehlo.xor %149, %151 : tensor<1x4x6x8x2xui32>
    %153 = stablehlo.constant dense<569420461> : tensor<1x4x6x8x2xui32>
    %154 = stablehlo.multiply %152, %153 : tensor<1x4x6x8x2xui32>
    %155 = stablehlo.constant dense<15> : tensor<1x4x6x8x2xui32>
    %156 = stablehlo.shift_right_logical %154, %155 : tensor<1x4x6x8x2xui32>
    %157 = stablehlo.xor %154, %156 : tensor<1x4x6x8x2xui32>
    %158 = stablehlo.constant dense<3545902487> : tensor<1x4x6x8x2xui32>
    %159 = stablehlo.multiply %157, %158 : tensor<1x4x6x8x2xui32>
    %160 = stablehlo.shift_right_logical %159, %155 : tensor<1x4x6x8x2xui32>
    %161 = stablehlo.xor %159, %160 : tensor<1x4x6x8x2xui32>
    %162 = stablehlo.add %161, %148 : tensor<1x4x6x8x2xui32>
    %163 = stablehlo.shift_right_logical %162, %150 : tensor<1x4x6x8x2xui32>
    %164 = stablehlo.xor %162, %163 : tensor<1x4x6x8x2xui32>
    %165 = stablehlo.multiply %164, %153 : tensor<1x4x6x8x2xui32>
    %166 = stablehlo.shift_right_logical %165, %155 : tensor<1x4x6x8x2xui32>
    %167 = stablehlo.xor %165, %166 : tensor<1x4x6x8x2xui32>
    %168 = stablehlo.multiply %167, %158 : tensor<1x4x6x8x2xui32>
    %169 = stablehlo.shift_right_logical %168, %155 : tensor<1x4x6x8x2xui32>
    %170 = stablehlo.xor %168, %169 : tensor<1x4x6x8x2xui32>
    %171 = stablehlo.constant dense<8> : tensor<1x4x6x8x2xui32>
    %172 = stablehlo.shift_right_logical %170, %171 : tensor<1x4x6x8x2xui32>
    %173 = stablehlo.constant dense<8388608> : tensor<1x4x6x8x2xui32>
    %174 = stablehlo.compare LT, %172, %173, UNSIGNED : (tensor<1x4x6x8x2xui32>, tensor<1x4x6x8x2xui32>) -> tensor<1x4x6x8x2xi1>
    %175 = stablehlo.convert %174 : (tensor<1x4x6x8x2xi1>) -> tensor<1x4x6x8x2xf32>
    %176 = stablehlo.multiply %92, %175 : tensor<1x4x6x8x2xf32>
    %177 = stablehlo.constant dense<2.0> : tensor<f32>
    %178 = stablehlo.broadcast_in_dim %177, dims = [] : (tensor<f32>) -> tensor<1x4x6x8x2xf32>
    %179 = stablehlo.multiply %176, %178 : tensor<1x4x6x8x2xf32>
    // output
    %180 = stablehlo.convolution(%179, %arg14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x4x6x8x3xf32>
    %181 = stablehlo.broadcast_in_dim %arg15, dims = [4] : (tensor<3xf32>) -> tensor<1x4x6x8x3xf32>
    %182 = stablehlo.add %180, %181 : tensor<1x4x6x8x3xf32>
    // loss
    %183 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xi32>
    %184 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %185 = stablehlo.broadcast_in_dim %183, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8x3xi32>
    %186 = stablehlo.compare EQ, %184, %185, SIGNED : (tensor<1x4x6x8x3xi32>, tensor<1x4x6x8x3xi32>) -> tensor<1x4x6x8x3xi1>
    %187 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %188 = stablehlo.reduce(%182 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %189 = stablehlo.broadcast_in_dim %188, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %190 = stablehlo.subtract %182, %189 : tensor<1x4x6x8x3xf32>
    %191 = stablehlo.exponential %190 : tensor<1x4x6x8x3xf32>
    %192 = stablehlo.constant dense<0.0> : tensor<f32>
    %193 = stablehlo.reduce(%191 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %194 = stablehlo.log %193 : tensor<1x4x6x8xf32>
    %195 = stablehlo.broadcast_in_dim %194, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %196 = stablehlo.subtract %190, %195 : tensor<1x4x6x8x3xf32>
    %197 = stablehlo.convert %186 : (tensor<1x4x6x8x3xi1>) -> tensor<1x4x6x8x3xf32>
    %198 = stablehlo.constant dense<0.0> : tensor<1x4x6x8x3xf32>
    %199 = stablehlo.select %186, %196, %198 : tensor<1x4x6x8x3xi1>, tensor<1x4x6x8x3xf32>
    %200 = stablehlo.reduce(%199 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %201 = stablehlo.negate %200 : tensor<1x4x6x8xf32>
    %202 = stablehlo.constant dense<[1.0, 8.0, 16.0]> : tensor<3xf32>
    %203 = stablehlo.broadcast_in_dim %202, dims = [4] : (tensor<3xf32>) -> tensor<1x4x6x8x3xf32>
    %204 = stablehlo.multiply %197, %203 : tensor<1x4x6x8x3xf32>
    %205 = stablehlo.reduce(%204 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %206 = stablehlo.multiply %201, %205 : tensor<1x4x6x8xf32>
    %207 = stablehlo.convert %206 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf64>
    %208 = stablehlo.reduce(%207 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<f64>
    %209 = stablehlo.multiply %208, %1 : tensor<f64>
    %210 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xi32>
    %211 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %212 = stablehlo.broadcast_in_dim %210, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8x3xi32>
    %213 = stablehlo.compare EQ, %211, %212, SIGNED : (tensor<1x4x6x8x3xi32>, tensor<1x4x6x8x3xi32>) -> tensor<1x4x6x8x3xi1>
    %214 = stablehlo.reduce(%182 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %215 = stablehlo.broadcast_in_dim %214, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %216 = stablehlo.subtract %182, %215 : tensor<1x4x6x8x3xf32>
    %217 = stablehlo.exponential %216 : tensor<1x4x6x8x3xf32>
    %218 = stablehlo.reduce(%217 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %219 = stablehlo.log %218 : tensor<1x4x6x8xf32>
    %220 = stablehlo.broadcast_in_dim %219, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %221 = stablehlo.subtract %216, %220 : tensor<1x4x6x8x3xf32>
    %222 = stablehlo.convert %213 : (tensor<1x4x6x8x3xi1>) -> tensor<1x4x6x8x3xf32>
    %223 = stablehlo.slice %221 [0:1, 0:4, 0:6, 0:8, 2:3] : (tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x1xf32>
    %224 = stablehlo.reshape %223 : (tensor<1x4x6x8x1xf32>) -> tensor<1x4x6x8xf32>
    %225 = stablehlo.exponential %224 : tensor<1x4x6x8xf32>
    %226 = stablehlo.slice %222 [0:1, 0:4, 0:6, 0:8, 2:3] : (tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x1xf32>
    %227 = stablehlo.reshape %226 : (tensor<1x4x6x8x1xf32>) -> tensor<1x4x6x8xf32>
    %228 = stablehlo.multiply %225, %227 : tensor<1x4x6x8xf32>
    %229 = stablehlo.convert %228 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf64>
    %230 = stablehlo.reduce(%229 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %231 = stablehlo.convert %225 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf64>
    %232 = stablehlo.reduce(%231 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %233 = stablehlo.convert %227 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf64>
    %234 = stablehlo.reduce(%233 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %235 = stablehlo.add %232, %234 : tensor<1xf64>
    %236 = stablehlo.constant dense<-2.0> : tensor<f64>
    %237 = stablehlo.broadcast_in_dim %236, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %238 = stablehlo.multiply %230, %237 : tensor<1xf64>
    %239 = stablehlo.constant dense<0.1> : tensor<f64>
    %240 = stablehlo.broadcast_in_dim %239, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %241 = stablehlo.add %235, %240 : tensor<1xf64>
    %242 = stablehlo.divide %238, %241 : tensor<1xf64>
    %243 = stablehlo.reduce(%242 init: %3) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
    %244 = stablehlo.constant dense<1.0> : tensor<f64>
    %245 = stablehlo.multiply %243, %244 : tensor<f64>
    %246 = stablehlo.reduce(%230 init: %3) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
    %247 = stablehlo.reduce(%235 init: %3) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
    %248 = stablehlo.multiply %246, %236 : tensor<f64>
    %249 = stablehlo.add %247, %239 : tensor<f64>
    %250 = stablehlo.divide %248, %249 : tensor<f64>
    %251 = stablehlo.multiply %245, %244 : tensor<f64>
    %252 = stablehlo.multiply %250, %244 : tensor<f64>
    %253 = stablehlo.add %251, %252 : tensor<f64>
    %254 = stablehlo.constant dense<0.5> : tensor<f64>
    %255 = stablehlo.multiply %253, %254 : tensor<f64>
    %256 = stablehlo.constant dense<0.8> : tensor<f64>
    %257 = stablehlo.multiply %209, %256 : tensor<f64>
    %258 = stablehlo.constant dense<0.2> : tensor<f64>
    %259 = stablehlo.multiply %255, %258 : tensor<f64>
    %260 = stablehlo.add %257, %259 : tensor<f64>
    %261 = stablehlo.constant dense<-1.0> : tensor<f64>
    %262 = stablehlo.multiply %250, %261 : tensor<f64>
    %263 = stablehlo.constant dense<0xFF800000> : tensor<1x4x6x8x3xf32>
    %264 = stablehlo.compare EQ, %182, %182, FLOAT : (tensor<1x4x6x8x3xf32>, tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x3xi1>
    %265 = stablehlo.select %264, %182, %263 : tensor<1x4x6x8x3xi1>, tensor<1x4x6x8x3xf32>
    %266 = stablehlo.reduce(%265 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %267 = stablehlo.broadcast_in_dim %266, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %268 = stablehlo.compare EQ, %265, %267, FLOAT : (tensor<1x4x6x8x3xf32>, tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x3xi1>
    %269 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %270 = stablehlo.constant dense<2> : tensor<1x4x6x8x3xi32>
    %271 = stablehlo.select %268, %269, %270 : tensor<1x4x6x8x3xi1>, tensor<1x4x6x8x3xi32>
    %272 = stablehlo.constant dense<2> : tensor<i32>
    %273 = stablehlo.reduce(%271 init: %272) applies stablehlo.minimum across dimensions = [4] : (tensor<1x4x6x8x3xi32>, tensor<i32>) -> tensor<1x4x6x8xi32>
    %274 = stablehlo.convert %273 : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8xui8>
    %275 = stablehlo.constant dense<0> : tensor<ui8>
    %276 = stablehlo.convert %274 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %277 = stablehlo.convert %275 : (tensor<ui8>) -> tensor<f32>
    %278 = stablehlo.broadcast_in_dim %277, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %279 = stablehlo.compare EQ, %276, %278, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %280 = stablehlo.convert %279 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %281 = stablehlo.convert %280 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %282 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %283 = stablehlo.convert %275 : (tensor<ui8>) -> tensor<f32>
    %284 = stablehlo.broadcast_in_dim %283, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %285 = stablehlo.compare EQ, %282, %284, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %286 = stablehlo.convert %285 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %287 = stablehlo.convert %286 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %288 = stablehlo.convert %281 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %289 = stablehlo.convert %287 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %290 = stablehlo.multiply %288, %289 : tensor<1x4x6x8xf32>
    %291 = stablehlo.convert %290 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %292 = stablehlo.constant dense<1> : tensor<ui8>
    %293 = stablehlo.convert %274 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %294 = stablehlo.convert %292 : (tensor<ui8>) -> tensor<f32>
    %295 = stablehlo.broadcast_in_dim %294, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %296 = stablehlo.compare EQ, %293, %295, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %297 = stablehlo.convert %296 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %298 = stablehlo.convert %297 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %299 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %300 = stablehlo.convert %292 : (tensor<ui8>) -> tensor<f32>
    %301 = stablehlo.broadcast_in_dim %300, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %302 = stablehlo.compare EQ, %299, %301, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %303 = stablehlo.convert %302 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %304 = stablehlo.convert %303 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %305 = stablehlo.convert %298 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %306 = stablehlo.convert %304 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %307 = stablehlo.multiply %305, %306 : tensor<1x4x6x8xf32>
    %308 = stablehlo.convert %307 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %309 = stablehlo.constant dense<2> : tensor<ui8>
    %310 = stablehlo.convert %274 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %311 = stablehlo.convert %309 : (tensor<ui8>) -> tensor<f32>
    %312 = stablehlo.broadcast_in_dim %311, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %313 = stablehlo.compare EQ, %310, %312, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %314 = stablehlo.convert %313 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %315 = stablehlo.convert %314 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %316 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %317 = stablehlo.convert %309 : (tensor<ui8>) -> tensor<f32>
    %318 = stablehlo.broadcast_in_dim %317, dims = [] : (tensor<f32>) -> tensor<1x4x6x8xf32>
    %319 = stablehlo.compare EQ, %316, %318, FLOAT : (tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xi1>
    %320 = stablehlo.convert %319 : (tensor<1x4x6x8xi1>) -> tensor<1x4x6x8xf32>
    %321 = stablehlo.convert %320 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %322 = stablehlo.convert %315 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %323 = stablehlo.convert %321 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf32>
    %324 = stablehlo.multiply %322, %323 : tensor<1x4x6x8xf32>
    %325 = stablehlo.convert %324 : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xui8>
    %326 = stablehlo.convert %291 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %327 = stablehlo.reduce(%326 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %328 = stablehlo.convert %308 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %329 = stablehlo.reduce(%328 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %330 = stablehlo.convert %325 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %331 = stablehlo.reduce(%330 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %332 = stablehlo.constant dense<[1.0, 0.0, 0.0]> : tensor<3xf64>
    %333 = stablehlo.broadcast_in_dim %327, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %334 = stablehlo.broadcast_in_dim %332, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %335 = stablehlo.multiply %333, %334 : tensor<1x3xf64>
    %336 = stablehlo.constant dense<[0.0, 1.0, 0.0]> : tensor<3xf64>
    %337 = stablehlo.broadcast_in_dim %329, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %338 = stablehlo.broadcast_in_dim %336, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %339 = stablehlo.multiply %337, %338 : tensor<1x3xf64>
    %340 = stablehlo.constant dense<[0.0, 0.0, 1.0]> : tensor<3xf64>
    %341 = stablehlo.broadcast_in_dim %331, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %342 = stablehlo.broadcast_in_dim %340, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %343 = stablehlo.multiply %341, %342 : tensor<1x3xf64>
    %344 = stablehlo.add %335, %339 : tensor<1x3xf64>
    %345 = stablehlo.add %344, %343 : tensor<1x3xf64>
    %346 = stablehlo.convert %281 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %347 = stablehlo.reduce(%346 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %348 = stablehlo.convert %298 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %349 = stablehlo.reduce(%348 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %350 = stablehlo.convert %315 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %351 = stablehlo.reduce(%350 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %352 = stablehlo.broadcast_in_dim %347, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %353 = stablehlo.broadcast_in_dim %332, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %354 = stablehlo.multiply %352, %353 : tensor<1x3xf64>
    %355 = stablehlo.broadcast_in_dim %349, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %356 = stablehlo.broadcast_in_dim %336, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %357 = stablehlo.multiply %355, %356 : tensor<1x3xf64>
    %358 = stablehlo.broadcast_in_dim %351, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %359 = stablehlo.broadcast_in_dim %340, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %360 = stablehlo.multiply %358, %359 : tensor<1x3xf64>
    %361 = stablehlo.add %354, %357 : tensor<1x3xf64>
    %362 = stablehlo.add %361, %360 : tensor<1x3xf64>
    %363 = stablehlo.convert %287 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %364 = stablehlo.reduce(%363 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %365 = stablehlo.convert %304 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %366 = stablehlo.reduce(%365 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %367 = stablehlo.convert %321 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xf64>
    %368 = stablehlo.reduce(%367 init: %3) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x4x6x8xf64>, tensor<f64>) -> tensor<1xf64>
    %369 = stablehlo.broadcast_in_dim %364, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %370 = stablehlo.broadcast_in_dim %332, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %371 = stablehlo.multiply %369, %370 : tensor<1x3xf64>
    %372 = stablehlo.broadcast_in_dim %366, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %373 = stablehlo.broadcast_in_dim %336, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %374 = stablehlo.multiply %372, %373 : tensor<1x3xf64>
    %375 = stablehlo.broadcast_in_dim %368, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
    %376 = stablehlo.broadcast_in_dim %340, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
    %377 = stablehlo.multiply %375, %376 : tensor<1x3xf64>
    %378 = stablehlo.add %371, %374 : tensor<1x3xf64>
    %379 = stablehlo.add %378, %377 : tensor<1x3xf64>
    // 
    // loss/grad
    %380 = stablehlo.multiply %244, %258 : tensor<f64>
    %381 = stablehlo.multiply %244, %256 : tensor<f64>
    %382 = stablehlo.multiply %380, %254 : tensor<f64>
    %383 = stablehlo.multiply %382, %244 : tensor<f64>
    %384 = stablehlo.multiply %382, %244 : tensor<f64>
    %385 = stablehlo.divide %383, %249 : tensor<f64>
    %386 = stablehlo.multiply %383, %250 : tensor<f64>
    %387 = stablehlo.divide %386, %249 : tensor<f64>
    %388 = stablehlo.negate %387 : tensor<f64>
    %389 = stablehlo.multiply %385, %236 : tensor<f64>
    %390 = stablehlo.broadcast_in_dim %388, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %391 = stablehlo.broadcast_in_dim %389, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %392 = stablehlo.multiply %384, %244 : tensor<f64>
    %393 = stablehlo.broadcast_in_dim %392, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %394 = stablehlo.divide %393, %241 : tensor<1xf64>
    %395 = stablehlo.multiply %393, %242 : tensor<1xf64>
    %396 = stablehlo.divide %395, %241 : tensor<1xf64>
    %397 = stablehlo.negate %396 : tensor<1xf64>
    %398 = stablehlo.add %390, %397 : tensor<1xf64>
    %399 = stablehlo.broadcast_in_dim %236, dims = [] : (tensor<f64>) -> tensor<1xf64>
    %400 = stablehlo.multiply %394, %399 : tensor<1xf64>
    %401 = stablehlo.add %391, %400 : tensor<1xf64>
    %402 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xi32>
    %403 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %404 = stablehlo.broadcast_in_dim %402, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8x3xi32>
    %405 = stablehlo.compare EQ, %403, %404, SIGNED : (tensor<1x4x6x8x3xi32>, tensor<1x4x6x8x3xi32>) -> tensor<1x4x6x8x3xi1>
    %406 = stablehlo.reduce(%182 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %407 = stablehlo.broadcast_in_dim %406, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %408 = stablehlo.subtract %182, %407 : tensor<1x4x6x8x3xf32>
    %409 = stablehlo.exponential %408 : tensor<1x4x6x8x3xf32>
    %410 = stablehlo.reduce(%409 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %411 = stablehlo.log %410 : tensor<1x4x6x8xf32>
    %412 = stablehlo.broadcast_in_dim %411, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %413 = stablehlo.subtract %408, %412 : tensor<1x4x6x8x3xf32>
    %414 = stablehlo.convert %405 : (tensor<1x4x6x8x3xi1>) -> tensor<1x4x6x8x3xf32>
    %415 = stablehlo.exponential %413 : tensor<1x4x6x8x3xf32>
    %416 = stablehlo.slice %414 [0:1, 0:4, 0:6, 0:8, 2:3] : (tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x1xf32>
    %417 = stablehlo.reshape %416 : (tensor<1x4x6x8x1xf32>) -> tensor<1x4x6x8xf32>
    %418 = stablehlo.broadcast_in_dim %417, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %419 = stablehlo.convert %401 : (tensor<1xf64>) -> tensor<1xf32>
    %420 = stablehlo.broadcast_in_dim %419, dims = [0] : (tensor<1xf32>) -> tensor<1x4x6x8x3xf32>
    %421 = stablehlo.multiply %420, %418 : tensor<1x4x6x8x3xf32>
    %422 = stablehlo.convert %398 : (tensor<1xf64>) -> tensor<1xf32>
    %423 = stablehlo.broadcast_in_dim %422, dims = [0] : (tensor<1xf32>) -> tensor<1x4x6x8x3xf32>
    %424 = stablehlo.add %421, %423 : tensor<1x4x6x8x3xf32>
    %425 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %426 = stablehlo.compare EQ, %425, %270, SIGNED : (tensor<1x4x6x8x3xi32>, tensor<1x4x6x8x3xi32>) -> tensor<1x4x6x8x3xi1>
    %427 = stablehlo.convert %426 : (tensor<1x4x6x8x3xi1>) -> tensor<1x4x6x8x3xf32>
    %428 = stablehlo.slice %415 [0:1, 0:4, 0:6, 0:8, 2:3] : (tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x1xf32>
    %429 = stablehlo.reshape %428 : (tensor<1x4x6x8x1xf32>) -> tensor<1x4x6x8xf32>
    %430 = stablehlo.broadcast_in_dim %429, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %431 = stablehlo.multiply %424, %430 : tensor<1x4x6x8x3xf32>
    %432 = stablehlo.subtract %427, %415 : tensor<1x4x6x8x3xf32>
    %433 = stablehlo.multiply %431, %432 : tensor<1x4x6x8x3xf32>
    %434 = stablehlo.multiply %381, %1 : tensor<f64>
    %435 = stablehlo.convert %arg3 : (tensor<1x4x6x8xui8>) -> tensor<1x4x6x8xi32>
    %436 = stablehlo.iota dim = 4 : tensor<1x4x6x8x3xi32>
    %437 = stablehlo.broadcast_in_dim %435, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xi32>) -> tensor<1x4x6x8x3xi32>
    %438 = stablehlo.compare EQ, %436, %437, SIGNED : (tensor<1x4x6x8x3xi32>, tensor<1x4x6x8x3xi32>) -> tensor<1x4x6x8x3xi1>
    %439 = stablehlo.reduce(%182 init: %187) applies stablehlo.maximum across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %440 = stablehlo.broadcast_in_dim %439, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %441 = stablehlo.subtract %182, %440 : tensor<1x4x6x8x3xf32>
    %442 = stablehlo.exponential %441 : tensor<1x4x6x8x3xf32>
    %443 = stablehlo.reduce(%442 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %444 = stablehlo.log %443 : tensor<1x4x6x8xf32>
    %445 = stablehlo.broadcast_in_dim %444, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %446 = stablehlo.subtract %441, %445 : tensor<1x4x6x8x3xf32>
    %447 = stablehlo.convert %438 : (tensor<1x4x6x8x3xi1>) -> tensor<1x4x6x8x3xf32>
    %448 = stablehlo.broadcast_in_dim %202, dims = [4] : (tensor<3xf32>) -> tensor<1x4x6x8x3xf32>
    %449 = stablehlo.multiply %447, %448 : tensor<1x4x6x8x3xf32>
    %450 = stablehlo.reduce(%449 init: %192) applies stablehlo.add across dimensions = [4] : (tensor<1x4x6x8x3xf32>, tensor<f32>) -> tensor<1x4x6x8xf32>
    %451 = stablehlo.broadcast_in_dim %450, dims = [0, 1, 2, 3] : (tensor<1x4x6x8xf32>) -> tensor<1x4x6x8x3xf32>
    %452 = stablehlo.convert %434 : (tensor<f64>) -> tensor<f32>
    %453 = stablehlo.broadcast_in_dim %452, dims = [] : (tensor<f32>) -> tensor<1x4x6x8x3xf32>
    %454 = stablehlo.multiply %453, %451 : tensor<1x4x6x8x3xf32>
    %455 = stablehlo.exponential %446 : tensor<1x4x6x8x3xf32>
    %456 = stablehlo.subtract %455, %447 : tensor<1x4x6x8x3xf32>
    %457 = stablehlo.multiply %454, %456 : tensor<1x4x6x8x3xf32>
    %458 = stablehlo.add %433, %457 : tensor<1x4x6x8x3xf32>
    // output/grad
    %459 = stablehlo.convert %458 : (tensor<1x4x6x8x3xf32>) -> tensor<1x4x6x8x3xf64>
    %460 = stablehlo.reduce(%459 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x3xf64>, tensor<f64>) -> tensor<3xf64>
    %461 = stablehlo.convert %460 : (tensor<3xf64>) -> tensor<3xf32>
    %462 = stablehlo.convolution(%179, %458) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x3xf32>) -> tensor<1x1x1x2x3xf32>
    %463 = stablehlo.convert %462 : (tensor<1x1x1x2x3xf32>) -> tensor<1x1x1x2x3xf64>
    %464 = stablehlo.convert %463 : (tensor<1x1x1x2x3xf64>) -> tensor<1x1x1x2x3xf32>
    %465 = stablehlo.convolution(%458, %arg14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x3xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv1/grad
    %466 = stablehlo.broadcast_in_dim %177, dims = [] : (tensor<f32>) -> tensor<1x4x6x8x2xf32>
    %467 = stablehlo.multiply %465, %466 : tensor<1x4x6x8x2xf32>
    %468 = stablehlo.multiply %467, %175 : tensor<1x4x6x8x2xf32>
    %469 = stablehlo.compare GT, %89, %45, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %470 = stablehlo.multiply %468, %47 : tensor<1x4x6x8x2xf32>
    %471 = stablehlo.select %469, %468, %470 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // down0/conv1/norm/grad
    %472 = stablehlo.convert %471 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %473 = stablehlo.reduce(%472 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %474 = stablehlo.convert %473 : (tensor<2xf64>) -> tensor<2xf32>
    %475 = stablehlo.convert %474 : (tensor<2xf32>) -> tensor<2xf64>
    %476 = stablehlo.broadcast_in_dim %84, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %477 = stablehlo.multiply %471, %476 : tensor<1x4x6x8x2xf32>
    %478 = stablehlo.multiply %471, %50 : tensor<1x4x6x8x2xf32>
    %479 = stablehlo.convert %478 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %480 = stablehlo.reduce(%479 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %481 = stablehlo.convert %480 : (tensor<2xf64>) -> tensor<2xf32>
    %482 = stablehlo.convert %481 : (tensor<2xf32>) -> tensor<2xf64>
    %483 = stablehlo.negate %475 : tensor<2xf64>
    %484 = stablehlo.multiply %483, %81 : tensor<2xf64>
    %485 = stablehlo.multiply %483, %54 : tensor<2xf64>
    %486 = stablehlo.add %482, %485 : tensor<2xf64>
    %487 = stablehlo.multiply %486, %79 : tensor<2xf64>
    %488 = stablehlo.multiply %486, %78 : tensor<2xf64>
    %489 = stablehlo.convert %475 : (tensor<2xf64>) -> tensor<2xf32>
    %490 = stablehlo.convert %488 : (tensor<2xf64>) -> tensor<2xf32>
    %491 = stablehlo.multiply %487, %78 : tensor<2xf64>
    %492 = stablehlo.constant dense<-0.5> : tensor<f64>
    %493 = stablehlo.broadcast_in_dim %492, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %494 = stablehlo.multiply %491, %493 : tensor<2xf64>
    %495 = stablehlo.divide %494, %77 : tensor<2xf64>
    %496 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %497 = stablehlo.compare LE, %496, %61, FLOAT : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xi1>
    %498 = stablehlo.convert %497 : (tensor<2xi1>) -> tensor<2xf64>
    %499 = stablehlo.multiply %495, %498 : tensor<2xf64>
    %500 = stablehlo.negate %499 : tensor<2xf64>
    %501 = stablehlo.multiply %500, %54 : tensor<2xf64>
    %502 = stablehlo.constant dense<2.0> : tensor<f64>
    %503 = stablehlo.broadcast_in_dim %502, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %504 = stablehlo.multiply %501, %503 : tensor<2xf64>
    %505 = stablehlo.add %484, %504 : tensor<2xf64>
    %506 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %507 = stablehlo.multiply %499, %506 : tensor<2xf64>
    %508 = stablehlo.convert %507 : (tensor<2xf64>) -> tensor<2xf32>
    %509 = stablehlo.broadcast_in_dim %508, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %510 = stablehlo.multiply %509, %50 : tensor<1x4x6x8x2xf32>
    %511 = stablehlo.broadcast_in_dim %177, dims = [] : (tensor<f32>) -> tensor<1x4x6x8x2xf32>
    %512 = stablehlo.multiply %510, %511 : tensor<1x4x6x8x2xf32>
    %513 = stablehlo.add %477, %512 : tensor<1x4x6x8x2xf32>
    %514 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %515 = stablehlo.multiply %505, %514 : tensor<2xf64>
    %516 = stablehlo.convert %515 : (tensor<2xf64>) -> tensor<2xf32>
    %517 = stablehlo.broadcast_in_dim %516, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %518 = stablehlo.add %513, %517 : tensor<1x4x6x8x2xf32>
    // down0/conv1/grad
    %519 = stablehlo.convolution(%49, %518) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<3x3x3x2x2xf32>
    %520 = stablehlo.convert %519 : (tensor<3x3x3x2x2xf32>) -> tensor<3x3x3x2x2xf64>
    %521 = stablehlo.convert %520 : (tensor<3x3x3x2x2xf64>) -> tensor<3x3x3x2x2xf32>
    %522 = stablehlo.reverse %arg9, dims = [0, 1, 2] : tensor<3x3x3x2x2xf32>
    %523 = stablehlo.convolution(%518, %522) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x4x6x8x2xf32>
    // down0/conv0/grad
    %524 = stablehlo.compare GT, %44, %45, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
    %525 = stablehlo.multiply %523, %47 : tensor<1x4x6x8x2xf32>
    %526 = stablehlo.select %524, %523, %525 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
    // down0/conv0/norm/grad
    %527 = stablehlo.convert %526 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %528 = stablehlo.reduce(%527 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %529 = stablehlo.convert %528 : (tensor<2xf64>) -> tensor<2xf32>
    %530 = stablehlo.convert %529 : (tensor<2xf32>) -> tensor<2xf64>
    %531 = stablehlo.broadcast_in_dim %39, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %532 = stablehlo.multiply %526, %531 : tensor<1x4x6x8x2xf32>
    %533 = stablehlo.multiply %526, %0 : tensor<1x4x6x8x2xf32>
    %534 = stablehlo.convert %533 : (tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xf64>
    %535 = stablehlo.reduce(%534 init: %3) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x4x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
    %536 = stablehlo.convert %535 : (tensor<2xf64>) -> tensor<2xf32>
    %537 = stablehlo.convert %536 : (tensor<2xf32>) -> tensor<2xf64>
    %538 = stablehlo.negate %530 : tensor<2xf64>
    %539 = stablehlo.multiply %538, %36 : tensor<2xf64>
    %540 = stablehlo.multiply %538, %6 : tensor<2xf64>
    %541 = stablehlo.add %537, %540 : tensor<2xf64>
    %542 = stablehlo.multiply %541, %34 : tensor<2xf64>
    %543 = stablehlo.multiply %541, %33 : tensor<2xf64>
    %544 = stablehlo.convert %530 : (tensor<2xf64>) -> tensor<2xf32>
    %545 = stablehlo.convert %543 : (tensor<2xf64>) -> tensor<2xf32>
    %546 = stablehlo.multiply %542, %33 : tensor<2xf64>
    %547 = stablehlo.broadcast_in_dim %492, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %548 = stablehlo.multiply %546, %547 : tensor<2xf64>
    %549 = stablehlo.divide %548, %32 : tensor<2xf64>
    %550 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %551 = stablehlo.compare LE, %550, %13, FLOAT : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xi1>
    %552 = stablehlo.convert %551 : (tensor<2xi1>) -> tensor<2xf64>
    %553 = stablehlo.multiply %549, %552 : tensor<2xf64>
    %554 = stablehlo.negate %553 : tensor<2xf64>
    %555 = stablehlo.multiply %554, %6 : tensor<2xf64>
    %556 = stablehlo.broadcast_in_dim %502, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %557 = stablehlo.multiply %555, %556 : tensor<2xf64>
    %558 = stablehlo.add %539, %557 : tensor<2xf64>
    %559 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %560 = stablehlo.multiply %553, %559 : tensor<2xf64>
    %561 = stablehlo.convert %560 : (tensor<2xf64>) -> tensor<2xf32>
    %562 = stablehlo.broadcast_in_dim %561, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %563 = stablehlo.multiply %562, %0 : tensor<1x4x6x8x2xf32>
    %564 = stablehlo.broadcast_in_dim %177, dims = [] : (tensor<f32>) -> tensor<1x4x6x8x2xf32>
    %565 = stablehlo.multiply %563, %564 : tensor<1x4x6x8x2xf32>
    %566 = stablehlo.add %532, %565 : tensor<1x4x6x8x2xf32>
    %567 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<f64>) -> tensor<2xf64>
    %568 = stablehlo.multiply %558, %567 : tensor<2xf64>
    %569 = stablehlo.convert %568 : (tensor<2xf64>) -> tensor<2xf32>
    %570 = stablehlo.broadcast_in_dim %569, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
    %571 = stablehlo.add %566, %570 : tensor<1x4x6x8x2xf32>
    // down0/conv0/grad
    %572 = stablehlo.convolution(%arg0, %571) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<1x4x6x8x2xf32>) -> tensor<3x3x3x1x2xf32>
    %573 = stablehlo.convert %572 : (tensor<3x3x3x1x2xf32>) -> tensor<3x3x3x1x2xf64>
    %574 = stablehlo.convert %573 : (tensor<3x3x3x1x2xf64>) -> tensor<3x3x3x1x2xf32>
    // optimizer/down0/conv0/weight
    %575 = stablehlo.constant dense<0.9> : tensor<f32>
    %576 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<3x3x3x1x2xf32>
    %577 = stablehlo.multiply %arg16, %576 : tensor<3x3x3x1x2xf32>
    %578 = stablehlo.add %577, %574 : tensor<3x3x3x1x2xf32>
    %579 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %580 = stablehlo.broadcast_in_dim %579, dims = [] : (tensor<f32>) -> tensor<3x3x3x1x2xf32>
    %581 = stablehlo.multiply %578, %580 : tensor<3x3x3x1x2xf32>
    %582 = stablehlo.subtract %arg4, %581 : tensor<3x3x3x1x2xf32>
    // optimizer/down0/conv0/norm/gamma
    %583 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %584 = stablehlo.multiply %arg17, %583 : tensor<2xf32>
    %585 = stablehlo.add %584, %545 : tensor<2xf32>
    %586 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %587 = stablehlo.broadcast_in_dim %586, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %588 = stablehlo.multiply %585, %587 : tensor<2xf32>
    %589 = stablehlo.subtract %arg7, %588 : tensor<2xf32>
    // optimizer/down0/conv0/norm/beta
    %590 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %591 = stablehlo.multiply %arg18, %590 : tensor<2xf32>
    %592 = stablehlo.add %591, %544 : tensor<2xf32>
    %593 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %594 = stablehlo.broadcast_in_dim %593, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %595 = stablehlo.multiply %592, %594 : tensor<2xf32>
    %596 = stablehlo.subtract %arg8, %595 : tensor<2xf32>
    // optimizer/down0/conv1/weight
    %597 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<3x3x3x2x2xf32>
    %598 = stablehlo.multiply %arg19, %597 : tensor<3x3x3x2x2xf32>
    %599 = stablehlo.add %598, %521 : tensor<3x3x3x2x2xf32>
    %600 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %601 = stablehlo.broadcast_in_dim %600, dims = [] : (tensor<f32>) -> tensor<3x3x3x2x2xf32>
    %602 = stablehlo.multiply %599, %601 : tensor<3x3x3x2x2xf32>
    %603 = stablehlo.subtract %arg9, %602 : tensor<3x3x3x2x2xf32>
    // optimizer/down0/conv1/norm/gamma
    %604 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %605 = stablehlo.multiply %arg20, %604 : tensor<2xf32>
    %606 = stablehlo.add %605, %490 : tensor<2xf32>
    %607 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %608 = stablehlo.broadcast_in_dim %607, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %609 = stablehlo.multiply %606, %608 : tensor<2xf32>
    %610 = stablehlo.subtract %arg12, %609 : tensor<2xf32>
    // optimizer/down0/conv1/norm/beta
    %611 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %612 = stablehlo.multiply %arg21, %611 : tensor<2xf32>
    %613 = stablehlo.add %612, %489 : tensor<2xf32>
    %614 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %615 = stablehlo.broadcast_in_dim %614, dims = [] : (tensor<f32>) -> tensor<2xf32>
    %616 = stablehlo.multiply %613, %615 : tensor<2xf32>
    %617 = stablehlo.subtract %arg13, %616 : tensor<2xf32>
    // optimizer/output/weight
    %618 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<1x1x1x2x3xf32>
    %619 = stablehlo.multiply %arg22, %618 : tensor<1x1x1x2x3xf32>
    %620 = stablehlo.add %619, %464 : tensor<1x1x1x2x3xf32>
    %621 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %622 = stablehlo.broadcast_in_dim %621, dims = [] : (tensor<f32>) -> tensor<1x1x1x2x3xf32>
    %623 = stablehlo.multiply %620, %622 : tensor<1x1x1x2x3xf32>
    %624 = stablehlo.subtract %arg14, %623 : tensor<1x1x1x2x3xf32>
    // optimizer/output/bias
    %625 = stablehlo.broadcast_in_dim %575, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %626 = stablehlo.multiply %arg23, %625 : tensor<3xf32>
    %627 = stablehlo.add %626, %461 : tensor<3xf32>
    %628 = stablehlo.convert %arg2 : (tensor<f64>) -> tensor<f32>
    %629 = stablehlo.broadcast_in_dim %628, dims = [] : (tensor<f32>) -> tensor<3xf32>
    %630 = stablehlo.multiply %627, %629 : tensor<3xf32>
    %631 = stablehlo.subtract %arg15, %630 : tensor<3xf32>
    // optimizer
    %632 = stablehlo.convert %23 : (tensor<2xf64>) -> tensor<2xf32>
    %633 = stablehlo.convert %29 : (tensor<2xf64>) -> tensor<2xf32>
    %634 = stablehlo.convert %69 : (tensor<2xf64>) -> tensor<2xf32>
    %635 = stablehlo.convert %75 : (tensor<2xf64>) -> tensor<2xf32>
    return %260, %209, %251, %252, %262, %345, %362, %379, %582, %632, %633, %589, %596, %603, %634, %635, %610, %617, %624, %631, %578, %585, %592, %599, %606, %613, %620, %627 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>
  }
}
