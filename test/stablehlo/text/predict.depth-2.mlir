module @halomesh attributes {mhlo.num_partitions = 2 : i32, mhlo.num_replicas = 1 : i32} {
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
  sdy.mesh @mesh = <["depth"=2]>
  func.func public @main(
    %arg0: tensor<1x4x6x8x1xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"depth"}, {}, {}, {}]>},
    %arg1: tensor<3x3x3x1x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg2: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg3: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg4: tensor<3x3x3x2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg5: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg6: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg7: tensor<3x3x3x2x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg8: tensor<4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg9: tensor<4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg10: tensor<3x3x3x4x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg11: tensor<4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg12: tensor<4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg13: tensor<2x2x2x2x4xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg14: tensor<3x3x3x4x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg15: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg16: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg17: tensor<3x3x3x2x2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg18: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg19: tensor<2xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>},
    %arg20: tensor<1x1x1x2x3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {}, {}, {}, {}]>},
    %arg21: tensor<3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}]>}
  ) -> (tensor<1x4x6x8xui8> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"depth"}, {}, {}]>}, tensor<1x4x6x8x3xf32> {sdy.sharding = #sdy.sharding<@mesh, [{}, {"depth"}, {}, {}, {}]>}) {
    %all:2 = sdy.manual_computation(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %arg6, %arg7, %arg8, %arg9, %arg10, %arg11, %arg12, %arg13, %arg14, %arg15, %arg16, %arg17, %arg18, %arg19, %arg20, %arg21) in_shardings=[<@mesh, [{}, {"depth"}, {}, {}, {}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>, <@mesh, [{}]>, <@mesh, [{}, {}, {}, {}, {}]>, <@mesh, [{}]>] out_shardings=[<@mesh, [{}, {"depth"}, {}, {}]>, <@mesh, [{}, {"depth"}, {}, {}, {}]>] manual_axes={"depth"} (%block0: tensor<1x2x6x8x1xf32>, %block1: tensor<3x3x3x1x2xf32>, %block2: tensor<2xf32>, %block3: tensor<2xf32>, %block4: tensor<3x3x3x2x2xf32>, %block5: tensor<2xf32>, %block6: tensor<2xf32>, %block7: tensor<3x3x3x2x4xf32>, %block8: tensor<4xf32>, %block9: tensor<4xf32>, %block10: tensor<3x3x3x4x4xf32>, %block11: tensor<4xf32>, %block12: tensor<4xf32>, %block13: tensor<2x2x2x2x4xf32>, %block14: tensor<3x3x3x4x2xf32>, %block15: tensor<2xf32>, %block16: tensor<2xf32>, %block17: tensor<3x3x3x2x2xf32>, %block18: tensor<2xf32>, %block19: tensor<2xf32>, %block20: tensor<1x1x1x2x3xf32>, %block21: tensor<3xf32>) {
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
      %14 = stablehlo.convolution(%13, %block1) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x6x8x1xf32>, tensor<3x3x3x1x2xf32>) -> tensor<1x2x6x8x2xf32>
      %15 = stablehlo.pad %14, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %16 = stablehlo.dynamic_slice %14, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %17 = "stablehlo.collective_permute"(%16) <{channel_handle = #stablehlo.channel_handle<handle = 2, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %18 = stablehlo.dynamic_update_slice %15, %17, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // down0/conv0/norm
      %19 = stablehlo.constant dense<0.005208333333333333> : tensor<f64>
      %20 = stablehlo.convert %14 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %21 = stablehlo.constant dense<0.0> : tensor<f64>
      %22 = stablehlo.reduce(%20 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %23 = "stablehlo.all_reduce"(%22) <{channel_handle = #stablehlo.channel_handle<handle = 3, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%24: tensor<f64>, %25: tensor<f64>):
        %26 = stablehlo.add %24, %25 : tensor<f64>
        stablehlo.return %26 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %27 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %28 = stablehlo.multiply %23, %27 : tensor<1x2xf64>
      %29 = stablehlo.multiply %14, %14 : tensor<1x2x6x8x2xf32>
      %30 = stablehlo.convert %29 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %31 = stablehlo.reduce(%30 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %32 = "stablehlo.all_reduce"(%31) <{channel_handle = #stablehlo.channel_handle<handle = 4, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%33: tensor<f64>, %34: tensor<f64>):
        %35 = stablehlo.add %33, %34 : tensor<f64>
        stablehlo.return %35 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %36 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %37 = stablehlo.multiply %32, %36 : tensor<1x2xf64>
      %38 = stablehlo.multiply %28, %28 : tensor<1x2xf64>
      %39 = stablehlo.subtract %37, %38 : tensor<1x2xf64>
      %40 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %41 = stablehlo.maximum %39, %40 : tensor<1x2xf64>
      %42 = stablehlo.constant dense<0.00001> : tensor<f64>
      %43 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %44 = stablehlo.add %41, %43 : tensor<1x2xf64>
      %45 = stablehlo.rsqrt %44 : tensor<1x2xf64>
      %46 = stablehlo.convert %block2 : (tensor<2xf32>) -> tensor<2xf64>
      %47 = stablehlo.convert %block3 : (tensor<2xf32>) -> tensor<2xf64>
      %48 = stablehlo.broadcast_in_dim %46, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %49 = stablehlo.multiply %45, %48 : tensor<1x2xf64>
      %50 = stablehlo.multiply %28, %49 : tensor<1x2xf64>
      %51 = stablehlo.broadcast_in_dim %47, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %52 = stablehlo.subtract %51, %50 : tensor<1x2xf64>
      %53 = stablehlo.convert %49 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %54 = stablehlo.broadcast_in_dim %53, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %55 = stablehlo.multiply %18, %54 : tensor<1x4x6x8x2xf32>
      %56 = stablehlo.convert %52 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %57 = stablehlo.broadcast_in_dim %56, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %58 = stablehlo.add %55, %57 : tensor<1x4x6x8x2xf32>
      // down0/conv0
      %59 = stablehlo.constant dense<0.0> : tensor<1x4x6x8x2xf32>
      %60 = stablehlo.compare GT, %58, %59, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
      %61 = stablehlo.constant dense<0.1> : tensor<1x4x6x8x2xf32>
      %62 = stablehlo.multiply %58, %61 : tensor<1x4x6x8x2xf32>
      %63 = stablehlo.select %60, %58, %62 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
      // down0/conv1
      %64 = stablehlo.iota dim = 0 : tensor<4xi32>
      %65 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %66 = stablehlo.compare GE, %64, %65, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %67 = stablehlo.constant dense<[4, 3]> : tensor<2xi32>
      %68 = stablehlo.dynamic_slice %67, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %69 = stablehlo.reshape %68 : (tensor<1xi32>) -> tensor<i32>
      %70 = stablehlo.broadcast_in_dim %69, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %71 = stablehlo.compare LT, %64, %70, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %72 = stablehlo.broadcast_in_dim %66, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %73 = stablehlo.broadcast_in_dim %71, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %74 = stablehlo.and %72, %73 : tensor<1x4x8x10x2xi1>
      %75 = stablehlo.pad %63, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x4x6x8x2xf32>, tensor<f32>) -> tensor<1x4x8x10x2xf32>
      %76 = stablehlo.constant dense<0.0> : tensor<1x4x8x10x2xf32>
      %77 = stablehlo.select %74, %75, %76 : tensor<1x4x8x10x2xi1>, tensor<1x4x8x10x2xf32>
      %78 = stablehlo.convolution(%77, %block4) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x8x10x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x2x6x8x2xf32>
      %79 = stablehlo.pad %78, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %80 = stablehlo.dynamic_slice %78, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %81 = "stablehlo.collective_permute"(%80) <{channel_handle = #stablehlo.channel_handle<handle = 5, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %82 = stablehlo.dynamic_update_slice %79, %81, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // down0/conv1/norm
      %83 = stablehlo.convert %78 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %84 = stablehlo.reduce(%83 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %85 = "stablehlo.all_reduce"(%84) <{channel_handle = #stablehlo.channel_handle<handle = 6, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%86: tensor<f64>, %87: tensor<f64>):
        %88 = stablehlo.add %86, %87 : tensor<f64>
        stablehlo.return %88 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %89 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %90 = stablehlo.multiply %85, %89 : tensor<1x2xf64>
      %91 = stablehlo.multiply %78, %78 : tensor<1x2x6x8x2xf32>
      %92 = stablehlo.convert %91 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %93 = stablehlo.reduce(%92 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %94 = "stablehlo.all_reduce"(%93) <{channel_handle = #stablehlo.channel_handle<handle = 7, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%95: tensor<f64>, %96: tensor<f64>):
        %97 = stablehlo.add %95, %96 : tensor<f64>
        stablehlo.return %97 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %98 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %99 = stablehlo.multiply %94, %98 : tensor<1x2xf64>
      %100 = stablehlo.multiply %90, %90 : tensor<1x2xf64>
      %101 = stablehlo.subtract %99, %100 : tensor<1x2xf64>
      %102 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %103 = stablehlo.maximum %101, %102 : tensor<1x2xf64>
      %104 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %105 = stablehlo.add %103, %104 : tensor<1x2xf64>
      %106 = stablehlo.rsqrt %105 : tensor<1x2xf64>
      %107 = stablehlo.convert %block5 : (tensor<2xf32>) -> tensor<2xf64>
      %108 = stablehlo.convert %block6 : (tensor<2xf32>) -> tensor<2xf64>
      %109 = stablehlo.broadcast_in_dim %107, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %110 = stablehlo.multiply %106, %109 : tensor<1x2xf64>
      %111 = stablehlo.multiply %90, %110 : tensor<1x2xf64>
      %112 = stablehlo.broadcast_in_dim %108, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %113 = stablehlo.subtract %112, %111 : tensor<1x2xf64>
      %114 = stablehlo.convert %110 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %115 = stablehlo.broadcast_in_dim %114, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %116 = stablehlo.multiply %82, %115 : tensor<1x4x6x8x2xf32>
      %117 = stablehlo.convert %113 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %118 = stablehlo.broadcast_in_dim %117, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %119 = stablehlo.add %116, %118 : tensor<1x4x6x8x2xf32>
      // down0/conv1
      %120 = stablehlo.compare GT, %119, %59, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
      %121 = stablehlo.multiply %119, %61 : tensor<1x4x6x8x2xf32>
      %122 = stablehlo.select %120, %119, %121 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
      // down1
      %123 = stablehlo.slice %122 [0:1, 1:3, 0:6, 0:8, 0:2] : (tensor<1x4x6x8x2xf32>) -> tensor<1x2x6x8x2xf32>
      %124 = stablehlo.constant dense<0xFF800000> : tensor<f32>
      %125 = "stablehlo.reduce_window"(%123, %124) <{padding = dense<[[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]> : tensor<5x2xi64>, window_dilations = array<i64: 1, 1, 1, 1, 1>, window_dimensions = array<i64: 1, 2, 2, 2, 1>, window_strides = array<i64: 1, 2, 2, 2, 1>}> ({
      ^bb0(%126: tensor<f32>, %127: tensor<f32>):
        %128 = stablehlo.maximum %126, %127 : tensor<f32>
        stablehlo.return %128 : tensor<f32>
      }) : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x1x3x4x2xf32>
      %129 = stablehlo.pad %125, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x1x3x4x2xf32>, tensor<f32>) -> tensor<1x3x3x4x2xf32>
      %130 = stablehlo.dynamic_slice %125, %2, %2, %2, %2, %2, sizes = [1, 1, 3, 4, 2] : (tensor<1x1x3x4x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x3x4x2xf32>
      %131 = "stablehlo.collective_permute"(%130) <{channel_handle = #stablehlo.channel_handle<handle = 8, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x3x4x2xf32>) -> tensor<1x1x3x4x2xf32>
      %132 = stablehlo.constant dense<[2, 0]> : tensor<2xi32>
      %133 = stablehlo.dynamic_slice %132, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %134 = stablehlo.reshape %133 : (tensor<1xi32>) -> tensor<i32>
      %135 = stablehlo.dynamic_update_slice %129, %131, %2, %134, %2, %2, %2 : (tensor<1x3x3x4x2xf32>, tensor<1x1x3x4x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x3x4x2xf32>
      // down1/conv0
      %136 = stablehlo.convolution(%135, %block7) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [1, 1], [1, 1]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x3x3x4x2xf32>, tensor<3x3x3x2x4xf32>) -> tensor<1x1x3x4x4xf32>
      %137 = stablehlo.pad %136, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x1x3x4x4xf32>, tensor<f32>) -> tensor<1x3x3x4x4xf32>
      %138 = stablehlo.dynamic_slice %136, %2, %2, %2, %2, %2, sizes = [1, 1, 3, 4, 4] : (tensor<1x1x3x4x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x3x4x4xf32>
      %139 = "stablehlo.collective_permute"(%138) <{channel_handle = #stablehlo.channel_handle<handle = 9, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xf32>
      %140 = stablehlo.dynamic_update_slice %137, %139, %2, %134, %2, %2, %2 : (tensor<1x3x3x4x4xf32>, tensor<1x1x3x4x4xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x3x3x4x4xf32>
      // down1/conv0/norm
      %141 = stablehlo.constant dense<0.041666666666666664> : tensor<f64>
      %142 = stablehlo.convert %136 : (tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xf64>
      %143 = stablehlo.reduce(%142 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x1x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
      %144 = "stablehlo.all_reduce"(%143) <{channel_handle = #stablehlo.channel_handle<handle = 10, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%145: tensor<f64>, %146: tensor<f64>):
        %147 = stablehlo.add %145, %146 : tensor<f64>
        stablehlo.return %147 : tensor<f64>
      }) : (tensor<1x4xf64>) -> tensor<1x4xf64>
      %148 = stablehlo.broadcast_in_dim %141, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %149 = stablehlo.multiply %144, %148 : tensor<1x4xf64>
      %150 = stablehlo.multiply %136, %136 : tensor<1x1x3x4x4xf32>
      %151 = stablehlo.convert %150 : (tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xf64>
      %152 = stablehlo.reduce(%151 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x1x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
      %153 = "stablehlo.all_reduce"(%152) <{channel_handle = #stablehlo.channel_handle<handle = 11, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%154: tensor<f64>, %155: tensor<f64>):
        %156 = stablehlo.add %154, %155 : tensor<f64>
        stablehlo.return %156 : tensor<f64>
      }) : (tensor<1x4xf64>) -> tensor<1x4xf64>
      %157 = stablehlo.broadcast_in_dim %141, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %158 = stablehlo.multiply %153, %157 : tensor<1x4xf64>
      %159 = stablehlo.multiply %149, %149 : tensor<1x4xf64>
      %160 = stablehlo.subtract %158, %159 : tensor<1x4xf64>
      %161 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %162 = stablehlo.maximum %160, %161 : tensor<1x4xf64>
      %163 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %164 = stablehlo.add %162, %163 : tensor<1x4xf64>
      %165 = stablehlo.rsqrt %164 : tensor<1x4xf64>
      %166 = stablehlo.convert %block8 : (tensor<4xf32>) -> tensor<4xf64>
      %167 = stablehlo.convert %block9 : (tensor<4xf32>) -> tensor<4xf64>
      %168 = stablehlo.broadcast_in_dim %166, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
      %169 = stablehlo.multiply %165, %168 : tensor<1x4xf64>
      %170 = stablehlo.multiply %149, %169 : tensor<1x4xf64>
      %171 = stablehlo.broadcast_in_dim %167, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
      %172 = stablehlo.subtract %171, %170 : tensor<1x4xf64>
      %173 = stablehlo.convert %169 : (tensor<1x4xf64>) -> tensor<1x4xf32>
      %174 = stablehlo.broadcast_in_dim %173, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x3x3x4x4xf32>
      %175 = stablehlo.multiply %140, %174 : tensor<1x3x3x4x4xf32>
      %176 = stablehlo.convert %172 : (tensor<1x4xf64>) -> tensor<1x4xf32>
      %177 = stablehlo.broadcast_in_dim %176, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x3x3x4x4xf32>
      %178 = stablehlo.add %175, %177 : tensor<1x3x3x4x4xf32>
      // down1/conv0
      %179 = stablehlo.constant dense<0.0> : tensor<1x3x3x4x4xf32>
      %180 = stablehlo.compare GT, %178, %179, FLOAT : (tensor<1x3x3x4x4xf32>, tensor<1x3x3x4x4xf32>) -> tensor<1x3x3x4x4xi1>
      %181 = stablehlo.constant dense<0.1> : tensor<1x3x3x4x4xf32>
      %182 = stablehlo.multiply %178, %181 : tensor<1x3x3x4x4xf32>
      %183 = stablehlo.select %180, %178, %182 : tensor<1x3x3x4x4xi1>, tensor<1x3x3x4x4xf32>
      // down1/conv1
      %184 = stablehlo.iota dim = 0 : tensor<3xi32>
      %185 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<3xi32>
      %186 = stablehlo.compare GE, %184, %185, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
      %187 = stablehlo.constant dense<[3, 2]> : tensor<2xi32>
      %188 = stablehlo.dynamic_slice %187, %4, sizes = [1] : (tensor<2xi32>, tensor<i32>) -> tensor<1xi32>
      %189 = stablehlo.reshape %188 : (tensor<1xi32>) -> tensor<i32>
      %190 = stablehlo.broadcast_in_dim %189, dims = [] : (tensor<i32>) -> tensor<3xi32>
      %191 = stablehlo.compare LT, %184, %190, SIGNED : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi1>
      %192 = stablehlo.broadcast_in_dim %186, dims = [1] : (tensor<3xi1>) -> tensor<1x3x5x6x4xi1>
      %193 = stablehlo.broadcast_in_dim %191, dims = [1] : (tensor<3xi1>) -> tensor<1x3x5x6x4xi1>
      %194 = stablehlo.and %192, %193 : tensor<1x3x5x6x4xi1>
      %195 = stablehlo.pad %183, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x3x3x4x4xf32>, tensor<f32>) -> tensor<1x3x5x6x4xf32>
      %196 = stablehlo.constant dense<0.0> : tensor<1x3x5x6x4xf32>
      %197 = stablehlo.select %194, %195, %196 : tensor<1x3x5x6x4xi1>, tensor<1x3x5x6x4xf32>
      %198 = stablehlo.convolution(%197, %block10) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x3x5x6x4xf32>, tensor<3x3x3x4x4xf32>) -> tensor<1x1x3x4x4xf32>
      // down1/conv1/norm
      %199 = stablehlo.convert %198 : (tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xf64>
      %200 = stablehlo.reduce(%199 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x1x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
      %201 = "stablehlo.all_reduce"(%200) <{channel_handle = #stablehlo.channel_handle<handle = 12, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%202: tensor<f64>, %203: tensor<f64>):
        %204 = stablehlo.add %202, %203 : tensor<f64>
        stablehlo.return %204 : tensor<f64>
      }) : (tensor<1x4xf64>) -> tensor<1x4xf64>
      %205 = stablehlo.broadcast_in_dim %141, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %206 = stablehlo.multiply %201, %205 : tensor<1x4xf64>
      %207 = stablehlo.multiply %198, %198 : tensor<1x1x3x4x4xf32>
      %208 = stablehlo.convert %207 : (tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xf64>
      %209 = stablehlo.reduce(%208 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x1x3x4x4xf64>, tensor<f64>) -> tensor<1x4xf64>
      %210 = "stablehlo.all_reduce"(%209) <{channel_handle = #stablehlo.channel_handle<handle = 13, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%211: tensor<f64>, %212: tensor<f64>):
        %213 = stablehlo.add %211, %212 : tensor<f64>
        stablehlo.return %213 : tensor<f64>
      }) : (tensor<1x4xf64>) -> tensor<1x4xf64>
      %214 = stablehlo.broadcast_in_dim %141, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %215 = stablehlo.multiply %210, %214 : tensor<1x4xf64>
      %216 = stablehlo.multiply %206, %206 : tensor<1x4xf64>
      %217 = stablehlo.subtract %215, %216 : tensor<1x4xf64>
      %218 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %219 = stablehlo.maximum %217, %218 : tensor<1x4xf64>
      %220 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x4xf64>
      %221 = stablehlo.add %219, %220 : tensor<1x4xf64>
      %222 = stablehlo.rsqrt %221 : tensor<1x4xf64>
      %223 = stablehlo.convert %block11 : (tensor<4xf32>) -> tensor<4xf64>
      %224 = stablehlo.convert %block12 : (tensor<4xf32>) -> tensor<4xf64>
      %225 = stablehlo.broadcast_in_dim %223, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
      %226 = stablehlo.multiply %222, %225 : tensor<1x4xf64>
      %227 = stablehlo.multiply %206, %226 : tensor<1x4xf64>
      %228 = stablehlo.broadcast_in_dim %224, dims = [1] : (tensor<4xf64>) -> tensor<1x4xf64>
      %229 = stablehlo.subtract %228, %227 : tensor<1x4xf64>
      %230 = stablehlo.convert %226 : (tensor<1x4xf64>) -> tensor<1x4xf32>
      %231 = stablehlo.broadcast_in_dim %230, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x1x3x4x4xf32>
      %232 = stablehlo.multiply %198, %231 : tensor<1x1x3x4x4xf32>
      %233 = stablehlo.convert %229 : (tensor<1x4xf64>) -> tensor<1x4xf32>
      %234 = stablehlo.broadcast_in_dim %233, dims = [0, 4] : (tensor<1x4xf32>) -> tensor<1x1x3x4x4xf32>
      %235 = stablehlo.add %232, %234 : tensor<1x1x3x4x4xf32>
      // down1/conv1
      %236 = stablehlo.constant dense<0.0> : tensor<1x1x3x4x4xf32>
      %237 = stablehlo.compare GT, %235, %236, FLOAT : (tensor<1x1x3x4x4xf32>, tensor<1x1x3x4x4xf32>) -> tensor<1x1x3x4x4xi1>
      %238 = stablehlo.constant dense<0.1> : tensor<1x1x3x4x4xf32>
      %239 = stablehlo.multiply %235, %238 : tensor<1x1x3x4x4xf32>
      %240 = stablehlo.select %237, %235, %239 : tensor<1x1x3x4x4xi1>, tensor<1x1x3x4x4xf32>
      // up0/transpose
      %241 = stablehlo.reverse %block13, dims = [0, 1, 2] : tensor<2x2x2x2x4xf32>
      %242 = stablehlo.convolution(%240, %241) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, o, i]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[1, 1], [1, 1], [1, 1]], lhs_dilate = [2, 2, 2], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x1x3x4x4xf32>, tensor<2x2x2x2x4xf32>) -> tensor<1x2x6x8x2xf32>
      %243 = stablehlo.pad %242, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %244 = stablehlo.dynamic_slice %242, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %245 = "stablehlo.collective_permute"(%244) <{channel_handle = #stablehlo.channel_handle<handle = 14, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %246 = stablehlo.dynamic_update_slice %243, %245, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // up0
      %247 = stablehlo.concatenate %246, %122, dim = 4 : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x4xf32>
      // up0/conv0
      %248 = stablehlo.iota dim = 0 : tensor<4xi32>
      %249 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %250 = stablehlo.compare GE, %248, %249, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %251 = stablehlo.broadcast_in_dim %69, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %252 = stablehlo.compare LT, %248, %251, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %253 = stablehlo.broadcast_in_dim %250, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x4xi1>
      %254 = stablehlo.broadcast_in_dim %252, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x4xi1>
      %255 = stablehlo.and %253, %254 : tensor<1x4x8x10x4xi1>
      %256 = stablehlo.pad %247, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x4x6x8x4xf32>, tensor<f32>) -> tensor<1x4x8x10x4xf32>
      %257 = stablehlo.constant dense<0.0> : tensor<1x4x8x10x4xf32>
      %258 = stablehlo.select %255, %256, %257 : tensor<1x4x8x10x4xi1>, tensor<1x4x8x10x4xf32>
      %259 = stablehlo.convolution(%258, %block14) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x8x10x4xf32>, tensor<3x3x3x4x2xf32>) -> tensor<1x2x6x8x2xf32>
      %260 = stablehlo.pad %259, %0, low = [0, 1, 0, 0, 0], high = [0, 1, 0, 0, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x2x6x8x2xf32>, tensor<f32>) -> tensor<1x4x6x8x2xf32>
      %261 = stablehlo.dynamic_slice %259, %2, %7, %2, %2, %2, sizes = [1, 1, 6, 8, 2] : (tensor<1x2x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x1x6x8x2xf32>
      %262 = "stablehlo.collective_permute"(%261) <{channel_handle = #stablehlo.channel_handle<handle = 15, type = 1>, source_target_pairs = dense<[[1, 0], [0, 1]]> : tensor<2x2xi64>}> : (tensor<1x1x6x8x2xf32>) -> tensor<1x1x6x8x2xf32>
      %263 = stablehlo.dynamic_update_slice %260, %262, %2, %12, %2, %2, %2 : (tensor<1x4x6x8x2xf32>, tensor<1x1x6x8x2xf32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x4x6x8x2xf32>
      // up0/conv0/norm
      %264 = stablehlo.convert %259 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %265 = stablehlo.reduce(%264 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %266 = "stablehlo.all_reduce"(%265) <{channel_handle = #stablehlo.channel_handle<handle = 16, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%267: tensor<f64>, %268: tensor<f64>):
        %269 = stablehlo.add %267, %268 : tensor<f64>
        stablehlo.return %269 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %270 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %271 = stablehlo.multiply %266, %270 : tensor<1x2xf64>
      %272 = stablehlo.multiply %259, %259 : tensor<1x2x6x8x2xf32>
      %273 = stablehlo.convert %272 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %274 = stablehlo.reduce(%273 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %275 = "stablehlo.all_reduce"(%274) <{channel_handle = #stablehlo.channel_handle<handle = 17, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%276: tensor<f64>, %277: tensor<f64>):
        %278 = stablehlo.add %276, %277 : tensor<f64>
        stablehlo.return %278 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %279 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %280 = stablehlo.multiply %275, %279 : tensor<1x2xf64>
      %281 = stablehlo.multiply %271, %271 : tensor<1x2xf64>
      %282 = stablehlo.subtract %280, %281 : tensor<1x2xf64>
      %283 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %284 = stablehlo.maximum %282, %283 : tensor<1x2xf64>
      %285 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %286 = stablehlo.add %284, %285 : tensor<1x2xf64>
      %287 = stablehlo.rsqrt %286 : tensor<1x2xf64>
      %288 = stablehlo.convert %block15 : (tensor<2xf32>) -> tensor<2xf64>
      %289 = stablehlo.convert %block16 : (tensor<2xf32>) -> tensor<2xf64>
      %290 = stablehlo.broadcast_in_dim %288, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %291 = stablehlo.multiply %287, %290 : tensor<1x2xf64>
      %292 = stablehlo.multiply %271, %291 : tensor<1x2xf64>
      %293 = stablehlo.broadcast_in_dim %289, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %294 = stablehlo.subtract %293, %292 : tensor<1x2xf64>
      %295 = stablehlo.convert %291 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %296 = stablehlo.broadcast_in_dim %295, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %297 = stablehlo.multiply %263, %296 : tensor<1x4x6x8x2xf32>
      %298 = stablehlo.convert %294 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %299 = stablehlo.broadcast_in_dim %298, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x4x6x8x2xf32>
      %300 = stablehlo.add %297, %299 : tensor<1x4x6x8x2xf32>
      // up0/conv0
      %301 = stablehlo.compare GT, %300, %59, FLOAT : (tensor<1x4x6x8x2xf32>, tensor<1x4x6x8x2xf32>) -> tensor<1x4x6x8x2xi1>
      %302 = stablehlo.multiply %300, %61 : tensor<1x4x6x8x2xf32>
      %303 = stablehlo.select %301, %300, %302 : tensor<1x4x6x8x2xi1>, tensor<1x4x6x8x2xf32>
      // up0/conv1
      %304 = stablehlo.iota dim = 0 : tensor<4xi32>
      %305 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %306 = stablehlo.compare GE, %304, %305, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %307 = stablehlo.broadcast_in_dim %69, dims = [] : (tensor<i32>) -> tensor<4xi32>
      %308 = stablehlo.compare LT, %304, %307, SIGNED : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
      %309 = stablehlo.broadcast_in_dim %306, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %310 = stablehlo.broadcast_in_dim %308, dims = [1] : (tensor<4xi1>) -> tensor<1x4x8x10x2xi1>
      %311 = stablehlo.and %309, %310 : tensor<1x4x8x10x2xi1>
      %312 = stablehlo.pad %303, %0, low = [0, 0, 1, 1, 0], high = [0, 0, 1, 1, 0], interior = [0, 0, 0, 0, 0] : (tensor<1x4x6x8x2xf32>, tensor<f32>) -> tensor<1x4x8x10x2xf32>
      %313 = stablehlo.select %311, %312, %76 : tensor<1x4x8x10x2xi1>, tensor<1x4x8x10x2xf32>
      %314 = stablehlo.convolution(%313, %block17) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x4x8x10x2xf32>, tensor<3x3x3x2x2xf32>) -> tensor<1x2x6x8x2xf32>
      // up0/conv1/norm
      %315 = stablehlo.convert %314 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %316 = stablehlo.reduce(%315 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %317 = "stablehlo.all_reduce"(%316) <{channel_handle = #stablehlo.channel_handle<handle = 18, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%318: tensor<f64>, %319: tensor<f64>):
        %320 = stablehlo.add %318, %319 : tensor<f64>
        stablehlo.return %320 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %321 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %322 = stablehlo.multiply %317, %321 : tensor<1x2xf64>
      %323 = stablehlo.multiply %314, %314 : tensor<1x2x6x8x2xf32>
      %324 = stablehlo.convert %323 : (tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xf64>
      %325 = stablehlo.reduce(%324 init: %21) applies stablehlo.add across dimensions = [1, 2, 3] : (tensor<1x2x6x8x2xf64>, tensor<f64>) -> tensor<1x2xf64>
      %326 = "stablehlo.all_reduce"(%325) <{channel_handle = #stablehlo.channel_handle<handle = 19, type = 1>, replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, use_global_device_ids}> ({
      ^bb0(%327: tensor<f64>, %328: tensor<f64>):
        %329 = stablehlo.add %327, %328 : tensor<f64>
        stablehlo.return %329 : tensor<f64>
      }) : (tensor<1x2xf64>) -> tensor<1x2xf64>
      %330 = stablehlo.broadcast_in_dim %19, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %331 = stablehlo.multiply %326, %330 : tensor<1x2xf64>
      %332 = stablehlo.multiply %322, %322 : tensor<1x2xf64>
      %333 = stablehlo.subtract %331, %332 : tensor<1x2xf64>
      %334 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %335 = stablehlo.maximum %333, %334 : tensor<1x2xf64>
      %336 = stablehlo.broadcast_in_dim %42, dims = [] : (tensor<f64>) -> tensor<1x2xf64>
      %337 = stablehlo.add %335, %336 : tensor<1x2xf64>
      %338 = stablehlo.rsqrt %337 : tensor<1x2xf64>
      %339 = stablehlo.convert %block18 : (tensor<2xf32>) -> tensor<2xf64>
      %340 = stablehlo.convert %block19 : (tensor<2xf32>) -> tensor<2xf64>
      %341 = stablehlo.broadcast_in_dim %339, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %342 = stablehlo.multiply %338, %341 : tensor<1x2xf64>
      %343 = stablehlo.multiply %322, %342 : tensor<1x2xf64>
      %344 = stablehlo.broadcast_in_dim %340, dims = [1] : (tensor<2xf64>) -> tensor<1x2xf64>
      %345 = stablehlo.subtract %344, %343 : tensor<1x2xf64>
      %346 = stablehlo.convert %342 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %347 = stablehlo.broadcast_in_dim %346, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x2x6x8x2xf32>
      %348 = stablehlo.multiply %314, %347 : tensor<1x2x6x8x2xf32>
      %349 = stablehlo.convert %345 : (tensor<1x2xf64>) -> tensor<1x2xf32>
      %350 = stablehlo.broadcast_in_dim %349, dims = [0, 4] : (tensor<1x2xf32>) -> tensor<1x2x6x8x2xf32>
      %351 = stablehlo.add %348, %350 : tensor<1x2x6x8x2xf32>
      // up0/conv1
      %352 = stablehlo.constant dense<0.0> : tensor<1x2x6x8x2xf32>
      %353 = stablehlo.compare GT, %351, %352, FLOAT : (tensor<1x2x6x8x2xf32>, tensor<1x2x6x8x2xf32>) -> tensor<1x2x6x8x2xi1>
      %354 = stablehlo.constant dense<0.1> : tensor<1x2x6x8x2xf32>
      %355 = stablehlo.multiply %351, %354 : tensor<1x2x6x8x2xf32>
      %356 = stablehlo.select %353, %351, %355 : tensor<1x2x6x8x2xi1>, tensor<1x2x6x8x2xf32>
      // output
      %357 = stablehlo.convolution(%356, %block20) dim_numbers = [b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f], window = {stride = [1, 1, 1], pad = [[0, 0], [0, 0], [0, 0]], lhs_dilate = [1, 1, 1], rhs_dilate = [1, 1, 1]} {batch_group_count = 1 : i64, feature_group_count = 1 : i64, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<1x2x6x8x2xf32>, tensor<1x1x1x2x3xf32>) -> tensor<1x2x6x8x3xf32>
      %358 = stablehlo.broadcast_in_dim %block21, dims = [4] : (tensor<3xf32>) -> tensor<1x2x6x8x3xf32>
      %359 = stablehlo.add %357, %358 : tensor<1x2x6x8x3xf32>
      // 
      %360 = stablehlo.constant dense<0xFF800000> : tensor<1x2x6x8x3xf32>
      %361 = stablehlo.compare EQ, %359, %359, FLOAT : (tensor<1x2x6x8x3xf32>, tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x3xi1>
      %362 = stablehlo.select %361, %359, %360 : tensor<1x2x6x8x3xi1>, tensor<1x2x6x8x3xf32>
      %363 = stablehlo.reduce(%362 init: %124) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %364 = stablehlo.broadcast_in_dim %363, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %365 = stablehlo.compare EQ, %362, %364, FLOAT : (tensor<1x2x6x8x3xf32>, tensor<1x2x6x8x3xf32>) -> tensor<1x2x6x8x3xi1>
      %366 = stablehlo.iota dim = 4 : tensor<1x2x6x8x3xi32>
      %367 = stablehlo.constant dense<2> : tensor<1x2x6x8x3xi32>
      %368 = stablehlo.select %365, %366, %367 : tensor<1x2x6x8x3xi1>, tensor<1x2x6x8x3xi32>
      %369 = stablehlo.constant dense<2> : tensor<i32>
      %370 = stablehlo.reduce(%368 init: %369) applies stablehlo.minimum across dimensions = [4] : (tensor<1x2x6x8x3xi32>, tensor<i32>) -> tensor<1x2x6x8xi32>
      %371 = stablehlo.convert %370 : (tensor<1x2x6x8xi32>) -> tensor<1x2x6x8xui8>
      %372 = stablehlo.reduce(%359 init: %124) applies stablehlo.maximum across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %373 = stablehlo.broadcast_in_dim %372, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %374 = stablehlo.subtract %359, %373 : tensor<1x2x6x8x3xf32>
      %375 = stablehlo.exponential %374 : tensor<1x2x6x8x3xf32>
      %376 = stablehlo.reduce(%375 init: %0) applies stablehlo.add across dimensions = [4] : (tensor<1x2x6x8x3xf32>, tensor<f32>) -> tensor<1x2x6x8xf32>
      %377 = stablehlo.log %376 : tensor<1x2x6x8xf32>
      %378 = stablehlo.broadcast_in_dim %377, dims = [0, 1, 2, 3] : (tensor<1x2x6x8xf32>) -> tensor<1x2x6x8x3xf32>
      %379 = stablehlo.subtract %374, %378 : tensor<1x2x6x8x3xf32>
      %380 = stablehlo.exponential %379 : tensor<1x2x6x8x3xf32>
      sdy.return %371, %380 : tensor<1x2x6x8xui8>, tensor<1x2x6x8x3xf32>
    } : (tensor<1x4x6x8x1xf32>, tensor<3x3x3x1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<3x3x3x4x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2x2x2x2x4xf32>, tensor<3x3x3x4x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<3x3x3x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<1x1x1x2x3xf32>, tensor<3xf32>) -> (tensor<1x4x6x8xui8>, tensor<1x4x6x8x3xf32>)
    return %all#0, %all#1 : tensor<1x4x6x8xui8>, tensor<1x4x6x8x3xf32>
  }
}
