module @halomesh attributes {mhlo.num_partitions = 2 : i32, mhlo.num_replicas = 1 : i32} {
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
  sdy.mesh @mesh = <["depth"=2]>
  func.func public @main(
    %arg0: tensor<1x4x6x8x1xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"depth"}, {}, {}, {}]>},
    %arg1: tensor<i32> {sdy.sharding = #sdy.sharding<@mesh, []>},
    %arg2: tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>},
    %arg3: tensor<1x4x6x8xui8> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"depth"}, {}, {}]>},
    %arg4: tensor<3x3x3x1x2xf32> {tf.aliasing_output = 8 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg5: tensor<2xf32> {tf.aliasing_output = 9 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg6: tensor<2xf32> {tf.aliasing_output = 10 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg7: tensor<2xf32> {tf.aliasing_output = 11 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg8: tensor<2xf32> {tf.aliasing_output = 12 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg9: tensor<3x3x3x2x2xf32> {tf.aliasing_output = 13 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg10: tensor<2xf32> {tf.aliasing_output = 14 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg11: tensor<2xf32> {tf.aliasing_output = 15 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg12: tensor<2xf32> {tf.aliasing_output = 16 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg13: tensor<2xf32> {tf.aliasing_output = 17 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg14: tensor<1x1x1x2x3xf32> {tf.aliasing_output = 18 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg15: tensor<3xf32> {tf.aliasing_output = 19 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg16: tensor<3x3x3x1x2xf32> {tf.aliasing_output = 20 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg17: tensor<2xf32> {tf.aliasing_output = 21 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg18: tensor<2xf32> {tf.aliasing_output = 22 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg19: tensor<3x3x3x2x2xf32> {tf.aliasing_output = 23 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg20: tensor<2xf32> {tf.aliasing_output = 24 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg21: tensor<2xf32> {tf.aliasing_output = 25 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg22: tensor<1x1x1x2x3xf32> {tf.aliasing_output = 26 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg23: tensor<3xf32> {tf.aliasing_output = 27 : i32, sdy.sharding = #sdy.sharding<@mesh, [{}]>}
  ) -> (tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>}, tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>}, tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>}, tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>}, tensor<f64> {sdy.sharding = #sdy.sharding<@mesh, []>}, tensor<1x3xf64> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, tensor<1x3xf64> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, tensor<1x3xf64> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}]>}, tensor<3x3x3x1x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<3x3x3x2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<1x1x1x2x3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<3x3x3x1x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<3x3x3x2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}, tensor<1x1x1x2x3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>}, tensor<3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}) {
    %all:28 = sdy.manual_computation(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7, %arg8, %arg9, %arg10, %arg11, %arg12, %arg13, %arg14, %arg15, %arg16, %arg17, %arg18, %arg19, %arg20, %arg21, %arg22, %arg23) in_shardings=[<@mesh, [{}, {"depth"}, {}, {}, {}]>, <@mesh, []>, <@mesh, []>, <@mesh, [{}, {"depth"}, {}, {}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>] out_shardings=[<@mesh, []>, <@mesh, []>, <@mesh, []>, <@mesh, []>, <@mesh, []>, <@mesh, [{}, {}]>, <@mesh, [{}, {}]>, <@mesh, [{}, {}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>] manual_axes={"depth"} (%block0: tensor<1x2x6x8x1xf32>, %block1: tensor<i32>, %block2: tensor<f64>, %block3: tensor<1x2x6x8xui8>, %block4: tensor<3x3x3x1x2xf32>, %block5: tensor<2xf32>, %block6: tensor<2xf32>, %block7: tensor<2xf32>, %block8: tensor<2xf32>, %block9: tensor<3x3x3x2x2xf32>, %block10: tensor<2xf32>, %block11: tensor<2xf32>, %block12: tensor<2xf32>, %block13: tensor<2xf32>, %block14: tensor<1x1x1x2x3xf32>, %block15: tensor<3xf32>, %block16: tensor<3x3x3x1x2xf32>, %block17: tensor<2xf32>, %block18: tensor<2xf32>, %block19: tensor<3x3x3x2x2xf32>, %block20: tensor<2xf32>, %block21: tensor<2xf32>, %block22: tensor<1x1x1x2x3xf32>, %block23: tensor<3xf32>) {
      %0 = stablehlo.constant dense<0.0> : tensor<f32>
      %1 = stablehlo.pad %block0, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x1xf32>, tensor<f32>) -> tensor<1x4x6x8x1xf32>
      %2 = stablehlo.constant dense<0> : tensor<i32>
      %3 = stablehlo.partition_id : tensor<ui32>
      %4 = stablehlo.convert %3 : (tensor<ui32>) -> tensor<i32>
      %5 = stablehlo.constant dense<[1, 0]> : tensor<2xi32>
      %6 = stablehlo.dynamic_slice %5, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %7 = stablehlo.reshape %6 : (tensor<1xi32>) -> tensor<i32>
      %8 = stablehlo.dynamic_slice %block0, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 1] : (tensor<1x2x6x8x1xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x1xf32>
      %9 = "stablehlo.collective_permute"(%8) <{channel_handle = #stablehlo.channel_handle<handle = 1, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x1xf32>) -> tensor<1x1x6x8x1xf32>
      %10 = stablehlo.constant dense<[3, 0]> : tensor<2xi32>
      %11 = stablehlo.dynamic_slice %10, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %12 = stablehlo.reshape %11 : (tensor<1xi32>) -> tensor<i32>
      %13 = stablehlo.dynamic_update_slice %1, %9, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x1xf32>, tensor<1x1x6x8x1xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x1xf32>
      // down0/conv0
      %14 = stablehlo.convolution(%13, %block4) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<3x3x3x1x2xf32>) -> tensor<1x2x6x8x2xf32>
      %15 = stablehlo.pad %14, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %16 = stablehlo.dynamic_slice %14, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %17 = "stablehlo.collective_permute"(%16) <{channel_handle = #stablehlo.channel_handle<handle = 2, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %18 = stablehlo.dynamic_update_slice %15, %17, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // down0/conv0/norm
      %19 = stablehlo.constant dense<0.005208333333333333> : tensor<f64>
      %20 = stablehlo.convert %14 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %21 = stablehlo.constant dense<0.0> : tensor<f64>
      %22 = stablehlo.reduce(%20 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %23 = "stablehlo.all_reduce"(%22) <{channel_handle = #stablehlo.channel_handle<handle = 3, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%24: tensor<f64>, %25: tensor<f64>):
        %26 = stablehlo.add %24, %25 : tensor<f64>
        stablehlo.return %26 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %27 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %28 = stablehlo.multiply %23, %27 : tensor<2xf64>
      %29 = stablehlo.multiply %14, %14 : tensor<1x2x6x8x2xf32>
      %30 = stablehlo.convert %29 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %31 = stablehlo.reduce(%30 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %32 = "stablehlo.all_reduce"(%31) <{channel_handle = #stablehlo.channel_handle<handle = 4, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%33: tensor<f64>, %34: tensor<f64>):
        %35 = stablehlo.add %33, %34 : tensor<f64>
        stablehlo.return %35 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %36 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %37 = stablehlo.multiply %32, %36 : tensor<2xf64>
      %38 = stablehlo.multiply %28, %28 : tensor<2xf64>
      %39 = stablehlo.subtract %37, %38 : tensor<2xf64>
      %40 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %41 = stablehlo.maximum %39, %40 : tensor<2xf64>
      %42 = stablehlo.constant dense<0.09999999999999998> : tensor<f64>
      %43 = stablehlo.constant dense<0.9> : tensor<f64>
      %44 = stablehlo.convert %block5 : (tensor<2xf32>) -> tensor<2xf64>
      %45 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %46 = stablehlo.multiply %44, %45 : tensor<2xf64>
      %47 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %48 = stablehlo.multiply %28, %47 : tensor<2xf64>
      %49 = stablehlo.add %46, %48 : tensor<2xf64>
      %50 = stablehlo.convert %block6 : (tensor<2xf32>) -> tensor<2xf64>
      %51 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %52 = stablehlo.multiply %50, %51 : tensor<2xf64>
      %53 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %54 = stablehlo.multiply %41, %53 : tensor<2xf64>
      %55 = stablehlo.add %52, %54 : tensor<2xf64>
      %56 = stablehlo.constant dense<0.000001> : tensor<f64>
      %57 = stablehlo.broadcast_in_dim %56, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %58 = stablehlo.add %41, %57 : tensor<2xf64>
      %59 = stablehlo.rsqrt %58 : tensor<2xf64>
      %60 = stablehlo.convert %block7 : (tensor<2xf32>) -> tensor<2xf64>
      %61 = stablehlo.convert %block8 : (tensor<2xf32>) -> tensor<2xf64>
      %62 = stablehlo.multiply %59, %60 : tensor<2xf64>
      %63 = stablehlo.multiply %28, %62 : tensor<2xf64>
      %64 = stablehlo.subtract %61, %63 : tensor<2xf64>
      %65 = stablehlo.convert %62 : (tensor<2xf64>) -> tensor<2xf32>
      %66 = stablehlo.broadcast_in_dim %65, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
      %67 = stablehlo.multiply %18, %66 : tensor<1x4x6x8x2xf32>
      %68 = stablehlo.convert %64 : (tensor<2xf64>) -> tensor<2xf32>
      %69 = stablehlo.broadcast_in_dim %68, dims = [4] : (tensor<2xf32>) -> tensor<1x4x6x8x2xf32>
      %70 = stablehlo.add %67, %69 : tensor<1x4x6x8x2xf32>
      // down0/conv0
      %71 = stablehlo.constant dense<0.0> : tensor<1x4x6x8x2xf32>
      %72 = stablehlo.compare GT, %70, %71, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
      %73 = stablehlo.constant dense<0.1> : tensor<1x4x6x8x2xf32>
      %74 = stablehlo.multiply %70, %73 : tensor<1x4x6x8x2xf32>
      %75 = stablehlo.select %72, %70, %74 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
      // down0/conv1
      %76 = stablehlo.iota dim = 0 : tensor<4xi32>
      %77 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %78 = stablehlo.compare GE, %76, %77, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %79 = stablehlo.constant dense<[4, 3]> : tensor<2xi32>
      %80 = stablehlo.dynamic_slice %79, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %81 = stablehlo.reshape %80 : (tensor<1xi32>) -> tensor<i32>
      %82 = stablehlo.broadcast_in_dim %81, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %83 = stablehlo.compare LT, %76, %82, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %84 = stablehlo.broadcast_in_dim %78, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %85 = stablehlo.broadcast_in_dim %83, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %86 = stablehlo.and %84, %85 : tensor<1x4x8x10x2xi1>
      %87 = stablehlo.pad %75, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x4x6x8x2xf32>, tensor<f32>) -> tensor<1x4x8x10x2xf32>
      %88 = stablehlo.constant dense<0.0> : tensor<1x4x8x10x2xf32>
      %89 = stablehlo.select %86, %87, %88 : tensor<1x4x8x10x2xi1>, tensor<1x4x8x10x2xf32>
      %90 = stablehlo.convolution(%89, %block9) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x8x10x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x2x6x8x2xf32>
      // down0/conv1/norm
      %91 = stablehlo.convert %90 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %92 = stablehlo.reduce(%91 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %93 = "stablehlo.all_reduce"(%92) <{channel_handle = #stablehlo.channel_handle<handle = 5, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%94: tensor<f64>, %95: tensor<f64>):
        %96 = stablehlo.add %94, %95 : tensor<f64>
        stablehlo.return %96 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %97 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %98 = stablehlo.multiply %93, %97 : tensor<2xf64>
      %99 = stablehlo.multiply %90, %90 : tensor<1x2x6x8x2xf32>
      %100 = stablehlo.convert %99 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %101 = stablehlo.reduce(%100 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %102 = "stablehlo.all_reduce"(%101) <{channel_handle = #stablehlo.channel_handle<handle = 6, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%103: tensor<f64>, %104: tensor<f64>):
        %105 = stablehlo.add %103, %104 : tensor<f64>
        stablehlo.return %105 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %106 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %107 = stablehlo.multiply %102, %106 : tensor<2xf64>
      %108 = stablehlo.multiply %98, %98 : tensor<2xf64>
      %109 = stablehlo.subtract %107, %108 : tensor<2xf64>
      %110 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %111 = stablehlo.maximum %109, %110 : tensor<2xf64>
      %112 = stablehlo.convert %block10 : (tensor<2xf32>) -> tensor<2xf64>
      %113 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %114 = stablehlo.multiply %112, %113 : tensor<2xf64>
      %115 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %116 = stablehlo.multiply %98, %115 : tensor<2xf64>
      %117 = stablehlo.add %114, %116 : tensor<2xf64>
      %118 = stablehlo.convert %block11 : (tensor<2xf32>) -> tensor<2xf64>
      %119 = stablehlo.broadcast_in_dim %43, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %120 = stablehlo.multiply %118, %119 : tensor<2xf64>
      %121 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %122 = stablehlo.multiply %111, %121 : tensor<2xf64>
      %123 = stablehlo.add %120, %122 : tensor<2xf64>
      %124 = stablehlo.broadcast_in_dim %56, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %125 = stablehlo.add %111, %124 : tensor<2xf64>
      %126 = stablehlo.rsqrt %125 : tensor<2xf64>
      %127 = stablehlo.convert %block12 : (tensor<2xf32>) -> tensor<2xf64>
      %128 = stablehlo.convert %block13 : (tensor<2xf32>) -> tensor<2xf64>
      %129 = stablehlo.multiply %126, %127 : tensor<2xf64>
      %130 = stablehlo.multiply %98, %129 : tensor<2xf64>
      %131 = stablehlo.subtract %128, %130 : tensor<2xf64>
      %132 = stablehlo.convert %129 : (tensor<2xf64>) -> tensor<2xf32>
      %133 = stablehlo.broadcast_in_dim %132, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %134 = stablehlo.multiply %90, %133 : tensor<1x2x6x8x2xf32>
      %135 = stablehlo.convert %131 : (tensor<2xf64>) -> tensor<2xf32>
      %136 = stablehlo.broadcast_in_dim %135, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %137 = stablehlo.add %134, %136 : tensor<1x2x6x8x2xf32>
      // down0/conv1
      %138 = stablehlo.constant dense<0.0> : tensor<1x2x6x8x2xf32>
      %139 = stablehlo.compare GT, %137, %138, FLOAT : (tensor<1x2x6x8x2xf32>, tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xi1>
      %140 = stablehlo.constant dense<0.1> : tensor<1x2x6x8x2xf32>
      %141 = stablehlo.multiply %137, %140 : tensor<1x2x6x8x2xf32>
      %142 = stablehlo.select %139, %137, %141 : tensor<1x2x6x8x2xi1>, tensor<1x2x6x8x2xf32>
      %143 = stablehlo.iota dim = 0 : tensor<1xi32>
      %144 = stablehlo.convert %143 : (tensor<1xi32>) -> tensor<1xui32>
      %145 = stablehlo.constant dense<384> : tensor<1xui32>
      %146 = stablehlo.multiply %144, %145 : tensor<1xui32>
      %147 = stablehlo.broadcast_in_dim %146, dims = [0] : (tensor<1xui32>) -> tensor<1x2x6x8x2xui32>
      %148 = stablehlo.iota dim = 0 : tensor<2xi32>
      %149 = stablehlo.constant dense<[0, 2]> : tensor<2xi32>
      %150 = stablehlo.dynamic_slice %149, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %151 = stablehlo.reshape %150 : (tensor<1xi32>) -> tensor<i32>
      %152 = stablehlo.broadcast_in_dim %151, dims = [] : (tensor<i32>) -> tensor<2xi32>
      %153 = stablehlo.add %148, %152 : tensor<2xi32>
      %154 = stablehlo.convert %153 : (tensor<2xi32>) -> tensor<2xui32>
      %155 = stablehlo.constant dense<96> : tensor<2xui32>
      %156 = stablehlo.multiply %154, %155 : tensor<2xui32>
      %157 = stablehlo.broadcast_in_dim %156, dims = [1] : (tensor<2xui32>) -> tensor<1x2x6x8x2xui32>
      %158 = stablehlo.iota dim = 0 : tensor<6xi32>
      %159 = stablehlo.convert %158 : (tensor<6xi32>) -> tensor<6xui32>
      %160 = stablehlo.constant dense<16> : tensor<6xui32>
      %161 = stablehlo.multiply %159, %160 : tensor<6xui32>
      %162 = stablehlo.broadcast_in_dim %161, dims = [2] : (tensor<6xui32>) -> tensor<1x2x6x8x2xui32>
      %163 = stablehlo.iota dim = 0 : tensor<8xi32>
      %164 = stablehlo.convert %163 : (tensor<8xi32>) -> tensor<8xui32>
      %165 = stablehlo.constant dense<2> : tensor<8xui32>
      %166 = stablehlo.multiply %164, %165 : tensor<8xui32>
      %167 = stablehlo.broadcast_in_dim %166, dims = [3] : (tensor<8xui32>) -> tensor<1x2x6x8x2xui32>
      %168 = stablehlo.iota dim = 0 : tensor<2xi32>
      %169 = stablehlo.convert %168 : (tensor<2xi32>) -> tensor<2xui32>
      %170 = stablehlo.constant dense<1> : tensor<2xui32>
      %171 = stablehlo.multiply %169, %170 : tensor<2xui32>
      %172 = stablehlo.broadcast_in_dim %171, dims = [4] : (tensor<2xui32>) -> tensor<1x2x6x8x2xui32>
      %173 = stablehlo.add %147, %157 : tensor<1x2x6x8x2xui32>
      %174 = stablehlo.add %173, %162 : tensor<1x2x6x8x2xui32>
      %175 = stablehlo.add %174, %167 : tensor<1x2x6x8x2xui32>
      %176 = stablehlo.add %175, %172 : tensor<1x2x6x8x2xui32>
      %177 = stablehlo.constant dense<3578996390> : tensor<1x2x6x8x2xui32>
      %178 = stablehlo.convert %block1 : (tensor<i32>) -> tensor<ui32>
      %179 = stablehlo.constant dense<2246822507> : tensor<ui32>
      %180 = stablehlo.add %178, %179 : tensor<ui32>
      %181 = stablehlo.constant dense<16> : tensor<ui32>
      %182 = stablehlo.shift_right_logical %180, %181 : tensor<ui32>
      %183 = stablehlo.xor %180, %182 : tensor<ui32>
      %184 = stablehlo.constant dense<569420461> : tensor<ui32>
      %185 = stablehlo.multiply %183, %184 : tensor<ui32>
      %186 = stablehlo.constant dense<15> : tensor<ui32>
      %187 = stablehlo.shift_right_logical %185, %186 : tensor<ui32>
      %188 = stablehlo.xor %185, %187 : tensor<ui32>
      %189 = stablehlo.constant dense<3545902487> : tensor<ui32>
      %190 = stablehlo.multiply %188, %189 : tensor<ui32>
      %191 = stablehlo.shift_right_logical %190, %186 : tensor<ui32>
      %192 = stablehlo.xor %190, %191 : tensor<ui32>
      %193 = stablehlo.constant dense<763881599> : tensor<ui32>
      %194 = stablehlo.xor %192, %193 : tensor<ui32>
      %195 = stablehlo.shift_right_logical %194, %181 : tensor<ui32>
      %196 = stablehlo.xor %194, %195 : tensor<ui32>
      %197 = stablehlo.multiply %196, %184 : tensor<ui32>
      %198 = stablehlo.shift_right_logical %197, %186 : tensor<ui32>
      %199 = stablehlo.xor %197, %198 : tensor<ui32>
      %200 = stablehlo.multiply %199, %189 : tensor<ui32>
      %201 = stablehlo.shift_right_logical %200, %186 : tensor<ui32>
      %202 = stablehlo.xor %200, %201 : tensor<ui32>
      %203 = stablehlo.broadcast_in_dim %202, dims = [] : (tensor<ui32>) -> tensor<1x2x6x8x2xui32>
      %204 = stablehlo.xor %176, %177 : tensor<1x2x6x8x2xui32>
      %205 = stablehlo.constant dense<16> : tensor<1x2x6x8x2xui32>
      %206 = stablehlo.shift_right_logical %204, %205 : tensor<1x2x6x8x2xui32>
      %207 = stablehlo.xor %204, %206 : tensor<1x2x6x8x2xui32>
      %208 = stablehlo.constant dense<569420461> : tensor<1x2x6x8x2xui32>
      %209 = stablehlo.multiply %207, %208 : tensor<1x2x6x8x2xui32>
      %210 = stablehlo.constant dense<15> : tensor<1x2x6x8x2xui32>
      %211 = stablehlo.shift_right_logical %209, %210 : tensor<1x2x6x8x2xui32>
      %212 = stablehlo.xor %209, %211 : tensor<1x2x6x8x2xui32>
      %213 = stablehlo.constant dense<3545902487> : tensor<1x2x6x8x2xui32>
      %214 = stablehlo.multiply %212, %213 : tensor<1x2x6x8x2xui32>
      %215 = stablehlo.shift_right_logical %214, %210 : tensor<1x2x6x8x2xui32>
      %216 = stablehlo.xor %214, %215 : tensor<1x2x6x8x2xui32>
      %217 = stablehlo.add %216, %203 : tensor<1x2x6x8x2xui32>
      %218 = stablehlo.shift_right_logical %217, %205 : tensor<1x2x6x8x2xui32>
      %219 = stablehlo.xor %217, %218 : tensor<1x2x6x8x2xui32>
      %220 = stablehlo.multiply %219, %208 : tensor<1x2x6x8x2xui32>
      %221 = stablehlo.shift_right_logical %220, %210 : tensor<1x2x6x8x2xui32>
      %222 = stablehlo.xor %220, %221 : tensor<1x2x6x8x2xui32>
      %223 = stablehlo.multiply %222, %213 : tensor<1x2x6x8x2xui32>
      %224 = stablehlo.shift_right_logical %223, %210 : tensor<1x2x6x8x2xui32>
      %225 = stablehlo.xor %223, %224 : tensor<1x2x6x8x2xui32>
      %226 = stablehlo.constant dense<8> : tensor<1x2x6x8x2xui32>
      %227 = stablehlo.shift_right_logical %225, %226 : tensor<1x2x6x8x2xui32>
      %228 = stablehlo.constant dense<8388608> : tensor<1x2x6x8x2xui32>
      %229 = stablehlo.compare LT, %227, %228, UNSIGNED : (tensor<1x2x6x8x2xui32>, tensor<1x2x6x8x2xui32>) -> tensor<1x2x6x8x2xi1>
      %230 = stablehlo.convert %229 : (tensor<1x2x6x8x2xi1>) -> tensor<1x2x6x8x2xf32>
      %231 = stablehlo.multiply %142, %230 : tensor<1x2x6x8x2xf32>
      %232 = stablehlo.constant dense<2.0> : tensor<f32>
      %233 = stablehlo.broadcast_in_dim %232, dims = [] : (tensor<f32>) -> tensor<1x2x6x8x2xf32>
      %234 = stablehlo.multiply %231, %233 : tensor<1x2x6x8x2xf32>
      // output
      %235 = stablehlo.convolution(%234, %block14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x6x8x2xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x2x6x8x3xf32>
      %236 = stablehlo.broadcast_in_dim %block15, dims = [4] : (tensor<3xf32>) -> tensor<1x2x6x8x3xf32>
      %237 = stablehlo.add %235, %236 : tensor<1x2x6x8x3xf32>
      // loss
      %238 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xi32>
      %239 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %240 = stablehlo.broadcast_in_dim %238, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8x3xi32>
      %241 = stablehlo.compare EQ, %239, %240, SIGNED : (tensor<1x2x6x8x3xi32>, tensor<1x2x6x8x3xi32>) -> tensor<1x2x6x8x3xi1>
      %242 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %243 = stablehlo.reduce(%237 init: %242) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %244 = stablehlo.broadcast_in_dim %243, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %245 = stablehlo.subtract %237, %244 : tensor<1x2x6x8x3xf32>
      %246 = stablehlo.exponential %245 : tensor<1x2x6x8x3xf32>
      %247 = stablehlo.reduce(%246 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %248 = stablehlo.log %247 : tensor<1x2x6x8xf32>
      %249 = stablehlo.broadcast_in_dim %248, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %250 = stablehlo.subtract %245, %249 : tensor<1x2x6x8x3xf32>
      %251 = stablehlo.convert %241 : (tensor<1x2x6x8x3xi1>) -> tensor<1x2x6x8x3xf32>
      %252 = stablehlo.constant dense<0.0> : tensor<1x2x6x8x3xf32>
      %253 = stablehlo.select %241, %250, %252 : tensor<1x2x6x8x3xi1>, tensor<1x2x6x8x3xf32>
      %254 = stablehlo.reduce(%253 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %255 = stablehlo.negate %254 : tensor<1x2x6x8xf32>
      %256 = stablehlo.constant dense<[1.0, 8.0, 16.0]> : tensor<3xf32>
      %257 = stablehlo.broadcast_in_dim %256, dims = [4] : (tensor<3xf32>) -> tensor<1x2x6x8x3xf32>
      %258 = stablehlo.multiply %251, %257 : tensor<1x2x6x8x3xf32>
      %259 = stablehlo.reduce(%258 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %260 = stablehlo.multiply %255, %259 : tensor<1x2x6x8xf32>
      %261 = stablehlo.convert %260 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf64>
      %262 = stablehlo.reduce(%261 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<f64>
      %263 = "stablehlo.all_reduce"(%262) <{channel_handle = #stablehlo.channel_handle<handle = 7, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%264: tensor<f64>, %265: tensor<f64>):
        %266 = stablehlo.add %264, %265 : tensor<f64>
        stablehlo.return %266 : tensor<f64>
      }) : (tensor<f64>) -> tensor<f64>
      %267 = stablehlo.multiply %263, %19 : tensor<f64>
      %268 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xi32>
      %269 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %270 = stablehlo.broadcast_in_dim %268, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8x3xi32>
      %271 = stablehlo.compare EQ, %269, %270, SIGNED : (tensor<1x2x6x8x3xi32>, tensor<1x2x6x8x3xi32>) -> tensor<1x2x6x8x3xi1>
      %272 = stablehlo.reduce(%237 init: %242) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %273 = stablehlo.broadcast_in_dim %272, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %274 = stablehlo.subtract %237, %273 : tensor<1x2x6x8x3xf32>
      %275 = stablehlo.exponential %274 : tensor<1x2x6x8x3xf32>
      %276 = stablehlo.reduce(%275 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %277 = stablehlo.log %276 : tensor<1x2x6x8xf32>
      %278 = stablehlo.broadcast_in_dim %277, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %279 = stablehlo.subtract %274, %278 : tensor<1x2x6x8x3xf32>
      %280 = stablehlo.convert %271 : (tensor<1x2x6x8x3xi1>) -> tensor<1x2x6x8x3xf32>
      %281 = stablehlo.slice %279 [0:1, 0:2, 0:6, 0:8, 2:3] : (tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x1xf32>
      %282 = stablehlo.reshape %281 : (tensor<1x2x6x8x1xf32>) -> tensor<1x2x6x8xf32>
      %283 = stablehlo.exponential %282 : tensor<1x2x6x8xf32>
      %284 = stablehlo.slice %280 [0:1, 0:2, 0:6, 0:8, 2:3] : (tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x1xf32>
      %285 = stablehlo.reshape %284 : (tensor<1x2x6x8x1xf32>) -> tensor<1x2x6x8xf32>
      %286 = stablehlo.multiply %283, %285 : tensor<1x2x6x8xf32>
      %287 = stablehlo.convert %286 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf64>
      %288 = stablehlo.reduce(%287 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %289 = stablehlo.convert %283 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf64>
      %290 = stablehlo.reduce(%289 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %291 = stablehlo.convert %285 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xf64>
      %292 = stablehlo.reduce(%291 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %293 = "stablehlo.all_reduce"(%288) <{channel_handle = #stablehlo.channel_handle<handle = 8, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%294: tensor<f64>, %295: tensor<f64>):
        %296 = stablehlo.add %294, %295 : tensor<f64>
        stablehlo.return %296 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %297 = "stablehlo.all_reduce"(%290) <{channel_handle = #stablehlo.channel_handle<handle = 9, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%298: tensor<f64>, %299: tensor<f64>):
        %300 = stablehlo.add %298, %299 : tensor<f64>
        stablehlo.return %300 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %301 = "stablehlo.all_reduce"(%292) <{channel_handle = #stablehlo.channel_handle<handle = 10, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%302: tensor<f64>, %303: tensor<f64>):
        %304 = stablehlo.add %302, %303 : tensor<f64>
        stablehlo.return %304 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %305 = stablehlo.add %297, %301 : tensor<1xf64>
      %306 = stablehlo.constant dense<-2.0> : tensor<f64>
      %307 = stablehlo.broadcast_in_dim %306, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %308 = stablehlo.multiply %293, %307 : tensor<1xf64>
      %309 = stablehlo.constant dense<0.1> : tensor<f64>
      %310 = stablehlo.broadcast_in_dim %309, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %311 = stablehlo.add %305, %310 : tensor<1xf64>
      %312 = stablehlo.divide %308, %311 : tensor<1xf64>
      %313 = stablehlo.reduce(%312 init: %21) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
      %314 = stablehlo.constant dense<1.0> : tensor<f64>
      %315 = stablehlo.multiply %313, %314 : tensor<f64>
      %316 = stablehlo.reduce(%293 init: %21) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
      %317 = stablehlo.reduce(%305 init: %21) applies stablehlo.add across dimensions = [0] : (tensor<1xf64>, tensor<f64>) -> tensor<f64>
      %318 = stablehlo.multiply %316, %306 : tensor<f64>
      %319 = stablehlo.add %317, %309 : tensor<f64>
      %320 = stablehlo.divide %318, %319 : tensor<f64>
      %321 = stablehlo.multiply %315, %314 : tensor<f64>
      %322 = stablehlo.multiply %320, %314 : tensor<f64>
      %323 = stablehlo.add %321, %322 : tensor<f64>
      %324 = stablehlo.constant dense<0.5> : tensor<f64>
      %325 = stablehlo.multiply %323, %324 : tensor<f64>
      %326 = stablehlo.constant dense<0.8> : tensor<f64>
      %327 = stablehlo.multiply %267, %326 : tensor<f64>
      %328 = stablehlo.constant dense<0.2> : tensor<f64>
      %329 = stablehlo.multiply %325, %328 : tensor<f64>
      %330 = stablehlo.add %327, %329 : tensor<f64>
      %331 = stablehlo.constant dense<-1.0> : tensor<f64>
      %332 = stablehlo.multiply %320, %331 : tensor<f64>
      %333 = stablehlo.constant dense<0xFF800000> : tensor<1x2x6x8x3xf32>
      %334 = stablehlo.compare EQ, %237, %237, FLOAT : (tensor<1x2x6x8x3xf32>, tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x3xi1>
      %335 = stablehlo.select %334, %237, %333 : tensor<1x2x6x8x3xi1>, tensor<1x2x6x8x3xf32>
      %336 = stablehlo.reduce(%335 init: %242) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %337 = stablehlo.broadcast_in_dim %336, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %338 = stablehlo.compare EQ, %335, %337, FLOAT : (tensor<1x2x6x8x3xf32>, tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x3xi1>
      %339 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %340 = stablehlo.constant dense<2> : tensor<1x2x6x8x3xi32>
      %341 = stablehlo.select %338, %339, %340 : tensor<1x2x6x8x3xi1>, tensor<1x2x6x8x3xi32>
      %342 = stablehlo.constant dense<2> : tensor<i32>
      %343 = stablehlo.reduce(%341 init: %342) applies stablehlo.minimum across dimensions = [4] : (tensor<1x2x6x8x3xi32>, tensor<i32>) -> tensor<1x2x6x8xi32>
      %344 = stablehlo.convert %343 : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8xui8>
      %345 = stablehlo.constant dense<0> : tensor<ui8>
      %346 = stablehlo.convert %344 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %347 = stablehlo.convert %345 : (tensor<ui8>) -> tensor<f32>
      %348 = stablehlo.broadcast_in_dim %347, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %349 = stablehlo.compare EQ, %346, %348, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %350 = stablehlo.convert %349 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %351 = stablehlo.convert %350 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %352 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %353 = stablehlo.convert %345 : (tensor<ui8>) -> tensor<f32>
      %354 = stablehlo.broadcast_in_dim %353, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %355 = stablehlo.compare EQ, %352, %354, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %356 = stablehlo.convert %355 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %357 = stablehlo.convert %356 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %358 = stablehlo.convert %351 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %359 = stablehlo.convert %357 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %360 = stablehlo.multiply %358, %359 : tensor<1x2x6x8xf32>
      %361 = stablehlo.convert %360 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %362 = stablehlo.constant dense<1> : tensor<ui8>
      %363 = stablehlo.convert %344 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %364 = stablehlo.convert %362 : (tensor<ui8>) -> tensor<f32>
      %365 = stablehlo.broadcast_in_dim %364, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %366 = stablehlo.compare EQ, %363, %365, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %367 = stablehlo.convert %366 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %368 = stablehlo.convert %367 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %369 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %370 = stablehlo.convert %362 : (tensor<ui8>) -> tensor<f32>
      %371 = stablehlo.broadcast_in_dim %370, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %372 = stablehlo.compare EQ, %369, %371, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %373 = stablehlo.convert %372 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %374 = stablehlo.convert %373 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %375 = stablehlo.convert %368 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %376 = stablehlo.convert %374 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %377 = stablehlo.multiply %375, %376 : tensor<1x2x6x8xf32>
      %378 = stablehlo.convert %377 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %379 = stablehlo.constant dense<2> : tensor<ui8>
      %380 = stablehlo.convert %344 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %381 = stablehlo.convert %379 : (tensor<ui8>) -> tensor<f32>
      %382 = stablehlo.broadcast_in_dim %381, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %383 = stablehlo.compare EQ, %380, %382, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %384 = stablehlo.convert %383 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %385 = stablehlo.convert %384 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %386 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %387 = stablehlo.convert %379 : (tensor<ui8>) -> tensor<f32>
      %388 = stablehlo.broadcast_in_dim %387, dims = [] : (tensor<f32>) -> tensor<1x2x6x8xf32>
      %389 = stablehlo.compare EQ, %386, %388, FLOAT : (tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xi1>
      %390 = stablehlo.convert %389 : (tensor<1x2x6x8xi1>) -> tensor<1x2x6x8xf32>
      %391 = stablehlo.convert %390 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %392 = stablehlo.convert %385 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %393 = stablehlo.convert %391 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf32>
      %394 = stablehlo.multiply %392, %393 : tensor<1x2x6x8xf32>
      %395 = stablehlo.convert %394 : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8xui8>
      %396 = stablehlo.convert %361 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %397 = stablehlo.reduce(%396 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %398 = "stablehlo.all_reduce"(%397) <{channel_handle = #stablehlo.channel_handle<handle = 11, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%399: tensor<f64>, %400: tensor<f64>):
        %401 = stablehlo.add %399, %400 : tensor<f64>
        stablehlo.return %401 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %402 = stablehlo.convert %378 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %403 = stablehlo.reduce(%402 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %404 = "stablehlo.all_reduce"(%403) <{channel_handle = #stablehlo.channel_handle<handle = 12, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%405: tensor<f64>, %406: tensor<f64>):
        %407 = stablehlo.add %405, %406 : tensor<f64>
        stablehlo.return %407 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %408 = stablehlo.convert %395 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %409 = stablehlo.reduce(%408 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %410 = "stablehlo.all_reduce"(%409) <{channel_handle = #stablehlo.channel_handle<handle = 13, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%411: tensor<f64>, %412: tensor<f64>):
        %413 = stablehlo.add %411, %412 : tensor<f64>
        stablehlo.return %413 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %414 = stablehlo.constant dense<[1.0, 0.0, 0.0]> : tensor<3xf64>
      %415 = stablehlo.broadcast_in_dim %398, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %416 = stablehlo.broadcast_in_dim %414, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %417 = stablehlo.multiply %415, %416 : tensor<1x3xf64>
      %418 = stablehlo.constant dense<[0.0, 1.0, 0.0]> : tensor<3xf64>
      %419 = stablehlo.broadcast_in_dim %404, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %420 = stablehlo.broadcast_in_dim %418, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %421 = stablehlo.multiply %419, %420 : tensor<1x3xf64>
      %422 = stablehlo.constant dense<[0.0, 0.0, 1.0]> : tensor<3xf64>
      %423 = stablehlo.broadcast_in_dim %410, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %424 = stablehlo.broadcast_in_dim %422, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %425 = stablehlo.multiply %423, %424 : tensor<1x3xf64>
      %426 = stablehlo.add %417, %421 : tensor<1x3xf64>
      %427 = stablehlo.add %426, %425 : tensor<1x3xf64>
      %428 = stablehlo.convert %351 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %429 = stablehlo.reduce(%428 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %430 = "stablehlo.all_reduce"(%429) <{channel_handle = #stablehlo.channel_handle<handle = 14, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%431: tensor<f64>, %432: tensor<f64>):
        %433 = stablehlo.add %431, %432 : tensor<f64>
        stablehlo.return %433 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %434 = stablehlo.convert %368 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %435 = stablehlo.reduce(%434 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %436 = "stablehlo.all_reduce"(%435) <{channel_handle = #stablehlo.channel_handle<handle = 15, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%437: tensor<f64>, %438: tensor<f64>):
        %439 = stablehlo.add %437, %438 : tensor<f64>
        stablehlo.return %439 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %440 = stablehlo.convert %385 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %441 = stablehlo.reduce(%440 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %442 = "stablehlo.all_reduce"(%441) <{channel_handle = #stablehlo.channel_handle<handle = 16, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%443: tensor<f64>, %444: tensor<f64>):
        %445 = stablehlo.add %443, %444 : tensor<f64>
        stablehlo.return %445 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %446 = stablehlo.broadcast_in_dim %430, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %447 = stablehlo.broadcast_in_dim %414, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %448 = stablehlo.multiply %446, %447 : tensor<1x3xf64>
      %449 = stablehlo.broadcast_in_dim %436, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %450 = stablehlo.broadcast_in_dim %418, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %451 = stablehlo.multiply %449, %450 : tensor<1x3xf64>
      %452 = stablehlo.broadcast_in_dim %442, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %453 = stablehlo.broadcast_in_dim %422, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %454 = stablehlo.multiply %452, %453 : tensor<1x3xf64>
      %455 = stablehlo.add %448, %451 : tensor<1x3xf64>
      %456 = stablehlo.add %455, %454 : tensor<1x3xf64>
      %457 = stablehlo.convert %357 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %458 = stablehlo.reduce(%457 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %459 = "stablehlo.all_reduce"(%458) <{channel_handle = #stablehlo.channel_handle<handle = 17, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%460: tensor<f64>, %461: tensor<f64>):
        %462 = stablehlo.add %460, %461 : tensor<f64>
        stablehlo.return %462 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %463 = stablehlo.convert %374 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %464 = stablehlo.reduce(%463 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %465 = "stablehlo.all_reduce"(%464) <{channel_handle = #stablehlo.channel_handle<handle = 18, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%466: tensor<f64>, %467: tensor<f64>):
        %468 = stablehlo.add %466, %467 : tensor<f64>
        stablehlo.return %468 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %469 = stablehlo.convert %391 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xf64>
      %470 = stablehlo.reduce(%469 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8xf64>, tensor<f64>) -> tensor<1xf64>
      %471 = "stablehlo.all_reduce"(%470) <{channel_handle = #stablehlo.channel_handle<handle = 19, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%472: tensor<f64>, %473: tensor<f64>):
        %474 = stablehlo.add %472, %473 : tensor<f64>
        stablehlo.return %474 : tensor<f64>
      }) : (tensor<1xf64>) -> tensor<1xf64>
      %475 = stablehlo.broadcast_in_dim %459, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %476 = stablehlo.broadcast_in_dim %414, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %477 = stablehlo.multiply %475, %476 : tensor<1x3xf64>
      %478 = stablehlo.broadcast_in_dim %465, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %479 = stablehlo.broadcast_in_dim %418, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %480 = stablehlo.multiply %478, %479 : tensor<1x3xf64>
      %481 = stablehlo.broadcast_in_dim %471, dims = [0] : (tensor<1xf64>) -> tensor<1x3xf64>
      %482 = stablehlo.broadcast_in_dim %422, dims = [1] : (tensor<3xf64>) -> tensor<1x3xf64>
      %483 = stablehlo.multiply %481, %482 : tensor<1x3xf64>
      %484 = stablehlo.add %477, %480 : tensor<1x3xf64>
      %485 = stablehlo.add %484, %483 : tensor<1x3xf64>
      // 
      // loss/grad
      %486 = stablehlo.multiply %314, %328 : tensor<f64>
      %487 = stablehlo.multiply %314, %326 : tensor<f64>
      %488 = stablehlo.multiply %486, %324 : tensor<f64>
      %489 = stablehlo.multiply %488, %314 : tensor<f64>
      %490 = stablehlo.multiply %488, %314 : tensor<f64>
      %491 = stablehlo.divide %489, %319 : tensor<f64>
      %492 = stablehlo.multiply %489, %320 : tensor<f64>
      %493 = stablehlo.divide %492, %319 : tensor<f64>
      %494 = stablehlo.negate %493 : tensor<f64>
      %495 = stablehlo.multiply %491, %306 : tensor<f64>
      %496 = stablehlo.broadcast_in_dim %494, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %497 = stablehlo.broadcast_in_dim %495, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %498 = stablehlo.multiply %490, %314 : tensor<f64>
      %499 = stablehlo.broadcast_in_dim %498, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %500 = stablehlo.divide %499, %311 : tensor<1xf64>
      %501 = stablehlo.multiply %499, %312 : tensor<1xf64>
      %502 = stablehlo.divide %501, %311 : tensor<1xf64>
      %503 = stablehlo.negate %502 : tensor<1xf64>
      %504 = stablehlo.add %496, %503 : tensor<1xf64>
      %505 = stablehlo.broadcast_in_dim %306, dims = [] : (tensor<f64>) -> tensor<1xf64>
      %506 = stablehlo.multiply %500, %505 : tensor<1xf64>
      %507 = stablehlo.add %497, %506 : tensor<1xf64>
      %508 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xi32>
      %509 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %510 = stablehlo.broadcast_in_dim %508, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8x3xi32>
      %511 = stablehlo.compare EQ, %509, %510, SIGNED : (tensor<1x2x6x8x3xi32>, tensor<1x2x6x8x3xi32>) -> tensor<1x2x6x8x3xi1>
      %512 = stablehlo.reduce(%237 init: %242) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %513 = stablehlo.broadcast_in_dim %512, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %514 = stablehlo.subtract %237, %513 : tensor<1x2x6x8x3xf32>
      %515 = stablehlo.exponential %514 : tensor<1x2x6x8x3xf32>
      %516 = stablehlo.reduce(%515 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %517 = stablehlo.log %516 : tensor<1x2x6x8xf32>
      %518 = stablehlo.broadcast_in_dim %517, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %519 = stablehlo.subtract %514, %518 : tensor<1x2x6x8x3xf32>
      %520 = stablehlo.convert %511 : (tensor<1x2x6x8x3xi1>) -> tensor<1x2x6x8x3xf32>
      %521 = stablehlo.exponential %519 : tensor<1x2x6x8x3xf32>
      %522 = stablehlo.slice %520 [0:1, 0:2, 0:6, 0:8, 2:3] : (tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x1xf32>
      %523 = stablehlo.reshape %522 : (tensor<1x2x6x8x1xf32>) -> tensor<1x2x6x8xf32>
      %524 = stablehlo.broadcast_in_dim %523, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %525 = stablehlo.convert %507 : (tensor<1xf64>) -> tensor<1xf32>
      %526 = stablehlo.broadcast_in_dim %525, dims = [0] : (tensor<1xf32>) -> tensor<1x2x6x8x3xf32>
      %527 = stablehlo.multiply %526, %524 : tensor<1x2x6x8x3xf32>
      %528 = stablehlo.convert %504 : (tensor<1xf64>) -> tensor<1xf32>
      %529 = stablehlo.broadcast_in_dim %528, dims = [0] : (tensor<1xf32>) -> tensor<1x2x6x8x3xf32>
      %530 = stablehlo.add %527, %529 : tensor<1x2x6x8x3xf32>
      %531 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %532 = stablehlo.compare EQ, %531, %340, SIGNED : (tensor<1x2x6x8x3xi32>, tensor<1x2x6x8x3xi32>) -> tensor<1x2x6x8x3xi1>
      %533 = stablehlo.convert %532 : (tensor<1x2x6x8x3xi1>) -> tensor<1x2x6x8x3xf32>
      %534 = stablehlo.slice %521 [0:1, 0:2, 0:6, 0:8, 2:3] : (tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x1xf32>
      %535 = stablehlo.reshape %534 : (tensor<1x2x6x8x1xf32>) -> tensor<1x2x6x8xf32>
      %536 = stablehlo.broadcast_in_dim %535, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %537 = stablehlo.multiply %530, %536 : tensor<1x2x6x8x3xf32>
      %538 = stablehlo.subtract %533, %521 : tensor<1x2x6x8x3xf32>
      %539 = stablehlo.multiply %537, %538 : tensor<1x2x6x8x3xf32>
      %540 = stablehlo.multiply %487, %19 : tensor<f64>
      %541 = stablehlo.convert %block3 : (tensor<1x2x6x8xui8>) -> tensor<1x2x6x8xi32>
      %542 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %543 = stablehlo.broadcast_in_dim %541, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8x3xi32>
      %544 = stablehlo.compare EQ, %542, %543, SIGNED : (tensor<1x2x6x8x3xi32>, tensor<1x2x6x8x3xi32>) -> tensor<1x2x6x8x3xi1>
      %545 = stablehlo.reduce(%237 init: %242) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %546 = stablehlo.broadcast_in_dim %545, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %547 = stablehlo.subtract %237, %546 : tensor<1x2x6x8x3xf32>
      %548 = stablehlo.exponential %547 : tensor<1x2x6x8x3xf32>
      %549 = stablehlo.reduce(%548 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %550 = stablehlo.log %549 : tensor<1x2x6x8xf32>
      %551 = stablehlo.broadcast_in_dim %550, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %552 = stablehlo.subtract %547, %551 : tensor<1x2x6x8x3xf32>
      %553 = stablehlo.convert %544 : (tensor<1x2x6x8x3xi1>) -> tensor<1x2x6x8x3xf32>
      %554 = stablehlo.broadcast_in_dim %256, dims = [4] : (tensor<3xf32>) -> tensor<1x2x6x8x3xf32>
      %555 = stablehlo.multiply %553, %554 : tensor<1x2x6x8x3xf32>
      %556 = stablehlo.reduce(%555 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %557 = stablehlo.broadcast_in_dim %556, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %558 = stablehlo.convert %540 : (tensor<f64>) -> tensor<f32>
      %559 = stablehlo.broadcast_in_dim %558, dims = [] : (tensor<f32>) -> tensor<1x2x6x8x3xf32>
      %560 = stablehlo.multiply %559, %557 : tensor<1x2x6x8x3xf32>
      %561 = stablehlo.exponential %552 : tensor<1x2x6x8x3xf32>
      %562 = stablehlo.subtract %561, %553 : tensor<1x2x6x8x3xf32>
      %563 = stablehlo.multiply %560, %562 : tensor<1x2x6x8x3xf32>
      %564 = stablehlo.add %539, %563 : tensor<1x2x6x8x3xf32>
      // output/grad
      %565 = stablehlo.convert %564 : (tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x3xf64>
      %566 = stablehlo.reduce(%565 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x3xf64>, tensor<f64>) -> tensor<3xf64>
      %567 = "stablehlo.all_reduce"(%566) <{channel_handle = #stablehlo.channel_handle<handle = 20, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%568: tensor<f64>, %569: tensor<f64>):
        %570 = stablehlo.add %568, %569 : tensor<f64>
        stablehlo.return %570 : tensor<f64>
      }) : (tensor<3xf64>) -> tensor<3xf64>
      %571 = stablehlo.convert %567 : (tensor<3xf64>) -> tensor<3xf32>
      %572 = stablehlo.convolution(%234, %564) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x6x8x2xf32>, tensor<1x2x6x8x3xf32>) -> tensor<1x1x1x2x3xf32>
      %573 = stablehlo.convert %572 : (tensor<1x1x1x2x3xf32>) -> tensor<1x1x1x2x3xf64>
      %574 = "stablehlo.all_reduce"(%573) <{channel_handle = #stablehlo.channel_handle<handle = 21, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%575: tensor<f64>, %576: tensor<f64>):
        %577 = stablehlo.add %575, %576 : tensor<f64>
        stablehlo.return %577 : tensor<f64>
      }) : (tensor<1x1x1x2x3xf64>) -> tensor<1x1x1x2x3xf64>
      %578 = stablehlo.convert %574 : (tensor<1x1x1x2x3xf64>) -> tensor<1x1x1x2x3xf32>
      %579 = stablehlo.convolution(%564, %block14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x6x8x3xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x2x6x8x2xf32>
      // down0/conv1/grad
      %580 = stablehlo.broadcast_in_dim %232, dims = [] : (tensor<f32>) -> tensor<1x2x6x8x2xf32>
      %581 = stablehlo.multiply %579, %580 : tensor<1x2x6x8x2xf32>
      %582 = stablehlo.multiply %581, %230 : tensor<1x2x6x8x2xf32>
      %583 = stablehlo.compare GT, %137, %138, FLOAT : (tensor<1x2x6x8x2xf32>, tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xi1>
      %584 = stablehlo.multiply %582, %140 : tensor<1x2x6x8x2xf32>
      %585 = stablehlo.select %583, %582, %584 : tensor<1x2x6x8x2xi1>, tensor<1x2x6x8x2xf32>
      // down0/conv1/norm/grad
      %586 = stablehlo.convert %585 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %587 = stablehlo.reduce(%586 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %588 = "stablehlo.all_reduce"(%587) <{channel_handle = #stablehlo.channel_handle<handle = 22, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%589: tensor<f64>, %590: tensor<f64>):
        %591 = stablehlo.add %589, %590 : tensor<f64>
        stablehlo.return %591 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %592 = stablehlo.convert %588 : (tensor<2xf64>) -> tensor<2xf32>
      %593 = stablehlo.convert %592 : (tensor<2xf32>) -> tensor<2xf64>
      %594 = stablehlo.broadcast_in_dim %132, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %595 = stablehlo.multiply %585, %594 : tensor<1x2x6x8x2xf32>
      %596 = stablehlo.multiply %585, %90 : tensor<1x2x6x8x2xf32>
      %597 = stablehlo.convert %596 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %598 = stablehlo.reduce(%597 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %599 = "stablehlo.all_reduce"(%598) <{channel_handle = #stablehlo.channel_handle<handle = 23, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%600: tensor<f64>, %601: tensor<f64>):
        %602 = stablehlo.add %600, %601 : tensor<f64>
        stablehlo.return %602 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %603 = stablehlo.convert %599 : (tensor<2xf64>) -> tensor<2xf32>
      %604 = stablehlo.convert %603 : (tensor<2xf32>) -> tensor<2xf64>
      %605 = stablehlo.negate %593 : tensor<2xf64>
      %606 = stablehlo.multiply %605, %129 : tensor<2xf64>
      %607 = stablehlo.multiply %605, %98 : tensor<2xf64>
      %608 = stablehlo.add %604, %607 : tensor<2xf64>
      %609 = stablehlo.multiply %608, %127 : tensor<2xf64>
      %610 = stablehlo.multiply %608, %126 : tensor<2xf64>
      %611 = stablehlo.convert %593 : (tensor<2xf64>) -> tensor<2xf32>
      %612 = stablehlo.convert %610 : (tensor<2xf64>) -> tensor<2xf32>
      %613 = stablehlo.multiply %609, %126 : tensor<2xf64>
      %614 = stablehlo.constant dense<-0.5> : tensor<f64>
      %615 = stablehlo.broadcast_in_dim %614, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %616 = stablehlo.multiply %613, %615 : tensor<2xf64>
      %617 = stablehlo.divide %616, %125 : tensor<2xf64>
      %618 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %619 = stablehlo.compare LE, %618, %109, FLOAT : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xi1>
      %620 = stablehlo.convert %619 : (tensor<2xi1>) -> tensor<2xf64>
      %621 = stablehlo.multiply %617, %620 : tensor<2xf64>
      %622 = stablehlo.negate %621 : tensor<2xf64>
      %623 = stablehlo.multiply %622, %98 : tensor<2xf64>
      %624 = stablehlo.constant dense<2.0> : tensor<f64>
      %625 = stablehlo.broadcast_in_dim %624, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %626 = stablehlo.multiply %623, %625 : tensor<2xf64>
      %627 = stablehlo.add %606, %626 : tensor<2xf64>
      %628 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %629 = stablehlo.multiply %621, %628 : tensor<2xf64>
      %630 = stablehlo.convert %629 : (tensor<2xf64>) -> tensor<2xf32>
      %631 = stablehlo.broadcast_in_dim %630, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %632 = stablehlo.multiply %631, %90 : tensor<1x2x6x8x2xf32>
      %633 = stablehlo.broadcast_in_dim %232, dims = [] : (tensor<f32>) -> tensor<1x2x6x8x2xf32>
      %634 = stablehlo.multiply %632, %633 : tensor<1x2x6x8x2xf32>
      %635 = stablehlo.add %595, %634 : tensor<1x2x6x8x2xf32>
      %636 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %637 = stablehlo.multiply %627, %636 : tensor<2xf64>
      %638 = stablehlo.convert %637 : (tensor<2xf64>) -> tensor<2xf32>
      %639 = stablehlo.broadcast_in_dim %638, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %640 = stablehlo.add %635, %639 : tensor<1x2x6x8x2xf32>
      %641 = stablehlo.pad %640, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %642 = stablehlo.dynamic_slice %640, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %643 = "stablehlo.collective_permute"(%642) <{channel_handle = #stablehlo.channel_handle<handle = 24, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %644 = stablehlo.dynamic_update_slice %641, %643, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // down0/conv1/grad
      %645 = stablehlo.iota dim = 0 : tensor<4xi32>
      %646 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %647 = stablehlo.compare GE, %645, %646, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %648 = stablehlo.broadcast_in_dim %81, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %649 = stablehlo.compare LT, %645, %648, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %650 = stablehlo.broadcast_in_dim %647, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %651 = stablehlo.broadcast_in_dim %649, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %652 = stablehlo.and %650, %651 : tensor<1x4x8x10x2xi1>
      %653 = stablehlo.pad %75, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x4x6x8x2xf32>, tensor<f32>) -> tensor<1x4x8x10x2xf32>
      %654 = stablehlo.select %652, %653, %88 : tensor<1x4x8x10x2xi1>, tensor<1x4x8x10x2xf32>
      %655 = stablehlo.convolution(%654, %640) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x8x10x2xf32>, tensor<1x2x6x8x2xf32>) -> tensor<3x3x3x2x2xf32>
      %656 = stablehlo.convert %655 : (tensor<3x3x3x2x2xf32>) -> tensor<3x3x3x2x2xf64>
      %657 = "stablehlo.all_reduce"(%656) <{channel_handle = #stablehlo.channel_handle<handle = 25, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%658: tensor<f64>, %659: tensor<f64>):
        %660 = stablehlo.add %658, %659 : tensor<f64>
        stablehlo.return %660 : tensor<f64>
      }) : (tensor<3x3x3x2x2xf64>) -> tensor<3x3x3x2x2xf64>
      %661 = stablehlo.convert %657 : (tensor<3x3x3x2x2xf64>) -> tensor<3x3x3x2x2xf32>
      %662 = stablehlo.reverse %block9, dims = [0, 1, 2] : tensor<3x3x3x2x2xf32>
      %663 = stablehlo.convolution(%644, %662) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x2x6x8x2xf32>
      // down0/conv0/grad
      %664 = stablehlo.slice %70 [0:1, 1:3, 0:6, 0:8, 0:2] : (tensor<1x4x6x8x2xf32>) -> tensor<1x2x6x8x2xf32>
      %665 = stablehlo.compare GT, %664, %138, FLOAT : (tensor<1x2x6x8x2xf32>, tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xi1>
      %666 = stablehlo.multiply %663, %140 : tensor<1x2x6x8x2xf32>
      %667 = stablehlo.select %665, %663, %666 : tensor<1x2x6x8x2xi1>, tensor<1x2x6x8x2xf32>
      // down0/conv0/norm/grad
      %668 = stablehlo.convert %667 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %669 = stablehlo.reduce(%668 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %670 = "stablehlo.all_reduce"(%669) <{channel_handle = #stablehlo.channel_handle<handle = 26, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%671: tensor<f64>, %672: tensor<f64>):
        %673 = stablehlo.add %671, %672 : tensor<f64>
        stablehlo.return %673 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %674 = stablehlo.convert %670 : (tensor<2xf64>) -> tensor<2xf32>
      %675 = stablehlo.convert %674 : (tensor<2xf32>) -> tensor<2xf64>
      %676 = stablehlo.broadcast_in_dim %65, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %677 = stablehlo.multiply %667, %676 : tensor<1x2x6x8x2xf32>
      %678 = stablehlo.multiply %667, %14 : tensor<1x2x6x8x2xf32>
      %679 = stablehlo.convert %678 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %680 = stablehlo.reduce(%679 init: %21) applies stablehlo.add across dimensions = [0, 1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<2xf64>
      %681 = "stablehlo.all_reduce"(%680) <{channel_handle = #stablehlo.channel_handle<handle = 27, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%682: tensor<f64>, %683: tensor<f64>):
        %684 = stablehlo.add %682, %683 : tensor<f64>
        stablehlo.return %684 : tensor<f64>
      }) : (tensor<2xf64>) -> tensor<2xf64>
      %685 = stablehlo.convert %681 : (tensor<2xf64>) -> tensor<2xf32>
      %686 = stablehlo.convert %685 : (tensor<2xf32>) -> tensor<2xf64>
      %687 = stablehlo.negate %675 : tensor<2xf64>
      %688 = stablehlo.multiply %687, %62 : tensor<2xf64>
      %689 = stablehlo.multiply %687, %28 : tensor<2xf64>
      %690 = stablehlo.add %686, %689 : tensor<2xf64>
      %691 = stablehlo.multiply %690, %60 : tensor<2xf64>
      %692 = stablehlo.multiply %690, %59 : tensor<2xf64>
      %693 = stablehlo.convert %675 : (tensor<2xf64>) -> tensor<2xf32>
      %694 = stablehlo.convert %692 : (tensor<2xf64>) -> tensor<2xf32>
      %695 = stablehlo.multiply %691, %59 : tensor<2xf64>
      %696 = stablehlo.broadcast_in_dim %614, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %697 = stablehlo.multiply %695, %696 : tensor<2xf64>
      %698 = stablehlo.divide %697, %58 : tensor<2xf64>
      %699 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %700 = stablehlo.compare LE, %699, %39, FLOAT : (tensor<2xf64>, tensor<2xf64>) -> tensor<2xi1>
      %701 = stablehlo.convert %700 : (tensor<2xi1>) -> tensor<2xf64>
      %702 = stablehlo.multiply %698, %701 : tensor<2xf64>
      %703 = stablehlo.negate %702 : tensor<2xf64>
      %704 = stablehlo.multiply %703, %28 : tensor<2xf64>
      %705 = stablehlo.broadcast_in_dim %624, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %706 = stablehlo.multiply %704, %705 : tensor<2xf64>
      %707 = stablehlo.add %688, %706 : tensor<2xf64>
      %708 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %709 = stablehlo.multiply %702, %708 : tensor<2xf64>
      %710 = stablehlo.convert %709 : (tensor<2xf64>) -> tensor<2xf32>
      %711 = stablehlo.broadcast_in_dim %710, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %712 = stablehlo.multiply %711, %14 : tensor<1x2x6x8x2xf32>
      %713 = stablehlo.broadcast_in_dim %232, dims = [] : (tensor<f32>) -> tensor<1x2x6x8x2xf32>
      %714 = stablehlo.multiply %712, %713 : tensor<1x2x6x8x2xf32>
      %715 = stablehlo.add %677, %714 : tensor<1x2x6x8x2xf32>
      %716 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<2xf64>
      %717 = stablehlo.multiply %707, %716 : tensor<2xf64>
      %718 = stablehlo.convert %717 : (tensor<2xf64>) -> tensor<2xf32>
      %719 = stablehlo.broadcast_in_dim %718, dims = [4] : (tensor<2xf32>) -> tensor<1x2x6x8x2xf32>
      %720 = stablehlo.add %715, %719 : tensor<1x2x6x8x2xf32>
      // down0/conv0/grad
      %721 = stablehlo.convolution(%13, %720) dim_numbers = [f, 0, 1, 2, b]x[i, 0, 1, 2, o]->[0, 1, 2, b, f], window = {stride = [1, 1, 1], pad = [[0, 0], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<1x2x6x8x2xf32>) -> tensor<3x3x3x1x2xf32>
      %722 = stablehlo.convert %721 : (tensor<3x3x3x1x2xf32>) -> tensor<3x3x3x1x2xf64>
      %723 = "stablehlo.all_reduce"(%722) <{channel_handle = #stablehlo.channel_handle<handle = 28, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%724: tensor<f64>, %725: tensor<f64>):
        %726 = stablehlo.add %724, %725 : tensor<f64>
        stablehlo.return %726 : tensor<f64>
      }) : (tensor<3x3x3x1x2xf64>) -> tensor<3x3x3x1x2xf64>
      %727 = stablehlo.convert %723 : (tensor<3x3x3x1x2xf64>) -> tensor<3x3x3x1x2xf32>
      // optimizer/down0/conv0/weight
      %728 = stablehlo.constant dense<0.9> : tensor<f32>
      %729 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<3x3x3x1x2xf32>
      %730 = stablehlo.multiply %block16, %729 : tensor<3x3x3x1x2xf32>
      %731 = stablehlo.add %730, %727 : tensor<3x3x3x1x2xf32>
      %732 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %733 = stablehlo.broadcast_in_dim %732, dims = [] : (tensor<f32>) -> tensor<3x3x3x1x2xf32>
      %734 = stablehlo.multiply %731, %733 : tensor<3x3x3x1x2xf32>
      %735 = stablehlo.subtract %block4, %734 : tensor<3x3x3x1x2xf32>
      // optimizer/down0/conv0/norm/gamma
      %736 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %737 = stablehlo.multiply %block17, %736 : tensor<2xf32>
      %738 = stablehlo.add %737, %694 : tensor<2xf32>
      %739 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %740 = stablehlo.broadcast_in_dim %739, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %741 = stablehlo.multiply %738, %740 : tensor<2xf32>
      %742 = stablehlo.subtract %block7, %741 : tensor<2xf32>
      // optimizer/down0/conv0/norm/beta
      %743 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %744 = stablehlo.multiply %block18, %743 : tensor<2xf32>
      %745 = stablehlo.add %744, %693 : tensor<2xf32>
      %746 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %747 = stablehlo.broadcast_in_dim %746, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %748 = stablehlo.multiply %745, %747 : tensor<2xf32>
      %749 = stablehlo.subtract %block8, %748 : tensor<2xf32>
      // optimizer/down0/conv1/weight
      %750 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<3x3x3x2x2xf32>
      %751 = stablehlo.multiply %block19, %750 : tensor<3x3x3x2x2xf32>
      %752 = stablehlo.add %751, %661 : tensor<3x3x3x2x2xf32>
      %753 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %754 = stablehlo.broadcast_in_dim %753, dims = [] : (tensor<f32>) -> tensor<3x3x3x2x2xf32>
      %755 = stablehlo.multiply %752, %754 : tensor<3x3x3x2x2xf32>
      %756 = stablehlo.subtract %block9, %755 : tensor<3x3x3x2x2xf32>
      // optimizer/down0/conv1/norm/gamma
      %757 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %758 = stablehlo.multiply %block20, %757 : tensor<2xf32>
      %759 = stablehlo.add %758, %612 : tensor<2xf32>
      %760 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %761 = stablehlo.broadcast_in_dim %760, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %762 = stablehlo.multiply %759, %761 : tensor<2xf32>
      %763 = stablehlo.subtract %block12, %762 : tensor<2xf32>
      // optimizer/down0/conv1/norm/beta
      %764 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %765 = stablehlo.multiply %block21, %764 : tensor<2xf32>
      %766 = stablehlo.add %765, %611 : tensor<2xf32>
      %767 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %768 = stablehlo.broadcast_in_dim %767, dims = [] : (tensor<f32>) -> tensor<2xf32>
      %769 = stablehlo.multiply %766, %768 : tensor<2xf32>
      %770 = stablehlo.subtract %block13, %769 : tensor<2xf32>
      // optimizer/output/weight
      %771 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<1x1x1x2x3xf32>
      %772 = stablehlo.multiply %block22, %771 : tensor<1x1x1x2x3xf32>
      %773 = stablehlo.add %772, %578 : tensor<1x1x1x2x3xf32>
      %774 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %775 = stablehlo.broadcast_in_dim %774, dims = [] : (tensor<f32>) -> tensor<1x1x1x2x3xf32>
      %776 = stablehlo.multiply %773, %775 : tensor<1x1x1x2x3xf32>
      %777 = stablehlo.subtract %block14, %776 : tensor<1x1x1x2x3xf32>
      // optimizer/output/bias
      %778 = stablehlo.broadcast_in_dim %728, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %779 = stablehlo.multiply %block23, %778 : tensor<3xf32>
      %780 = stablehlo.add %779, %571 : tensor<3xf32>
      %781 = stablehlo.convert %block2 : (tensor<f64>) -> tensor<f32>
      %782 = stablehlo.broadcast_in_dim %781, dims = [] : (tensor<f32>) -> tensor<3xf32>
      %783 = stablehlo.multiply %780, %782 : tensor<3xf32>
      %784 = stablehlo.subtract %block15, %783 : tensor<3xf32>
      // optimizer
      %785 = stablehlo.convert %49 : (tensor<2xf64>) -> tensor<2xf32>
      %786 = stablehlo.convert %55 : (tensor<2xf64>) -> tensor<2xf32>
      %787 = stablehlo.convert %117 : (tensor<2xf64>) -> tensor<2xf32>
      %788 = stablehlo.convert %123 : (tensor<2xf64>) -> tensor<2xf32>
      sdy.return %330, %267, %321, %322, %332, %427, %456, %485, %735, %785, %786, %742, %749, %756, %787, %788, %763, %770, %777, %784, %731, %738, %745, %752, %759, %766, %773, %780 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>
    } : (tensor<1x4x6x8x1xf32>, tensor<i32>, tensor<f64>, tensor<1x4x6x8xui8>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>) -> (tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>)
    return %all#0, %all#1, %all#2, %all#3, %all#4, %all#5, %all#6, %all#7, %all#8, %all#9, %all#10, %all#11, %all#12, %all#13, %all#14, %all#15, %all#16, %all#17, %all#18, %all#19, %all#20, %all#21, %all#22, %all#23, %all#24, %all#25, %all#26, %all#27 : tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<f64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<1x3xf64>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>
  }
}
