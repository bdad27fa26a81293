// A PJRT plug-in for tests: some devices, each with a thread that does what it is asked for in order, so that results come later than
// calls return. It counts what it made, and refuses what a careless caller does: structs that are too small, buffers that were given
// away, arguments of another type.
#include <cstdlib>
#include <cstring>

#include "objects.h"
#include "pjrt.h"

#define CHECK_SIZE(args)                                                                          \
  if ((args)->struct_size < sizeof(*(args)) - 7)                                                  \
    return fail(kInvalidArgument, std::string("struct of ") + std::to_string((args)->struct_size) + \
                                      " bytes in " + __func__);

static void error_destroy(ErrorArgs* args) {
  if (args->error == nullptr) return;
  live_errors--;
  delete args->error;
}

static void error_message(MessageArgs* args) {
  args->message = args->error->message.data();
  args->message_size = args->error->message.size();
}

static Error* error_code(CodeArgs* args) {
  args->code = args->error->code;
  return nullptr;
}

static Error* initialize(Head* args) {
  CHECK_SIZE(args);
  return nullptr;
}

static Error* event_destroy(EventArgs* args) {
  if (args->event == nullptr) return nullptr;
  live_events--;
  delete args->event;
  return nullptr;
}

static Error* event_ready(ReadyArgs* args) {
  std::lock_guard<std::mutex> held(args->event->state->lock);
  args->is_ready = args->event->state->ready;
  return nullptr;
}

static Error* event_error(EventArgs* args) {
  State& state = *args->event->state;
  std::lock_guard<std::mutex> held(state.lock);
  return state.code == 0 ? nullptr : fail(state.code, state.message);
}

static Error* event_await(EventArgs* args) {
  args->event->state->wait();
  return event_error(args);
}

static int setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

static Error* client_create(CreateArgs* args) {
  CHECK_SIZE(args);
  const int count = setting("STUB_DEVICES", 2);
  auto* client = new Client;
  for (int i = 0; i < count; i++) {
    client->devices.push_back(std::make_unique<Device>());
    Device* device = client->devices.back().get();
    // Numbers of devices need not begin at 0.
    device->id = 5 + i;
    device->thread = std::thread([device] { device->loop(); });
    client->list.push_back(device);
  }
  live_clients++;
  args->client = client;
  return nullptr;
}

static Error* client_destroy(ClientArgs* args) {
  for (auto& device : args->client->devices) {
    {
      std::lock_guard<std::mutex> held(device->lock);
      device->closing = true;
      device->change.notify_all();
    }
    device->thread.join();
  }
  live_clients--;
  delete args->client;
  return nullptr;
}

static Error* give_text(ClientTextArgs* args, const char* text) {
  args->text = text;
  args->text_size = std::strlen(text);
  return nullptr;
}
static Error* platform_name(ClientTextArgs* args) { return give_text(args, "stub"); }
static Error* platform_version(ClientTextArgs* args) { return give_text(args, "for tests\nonly"); }

static Error* addressable_devices(DevicesArgs* args) {
  args->devices = args->client->list.data();
  args->num_devices = args->client->list.size();
  return nullptr;
}

/** The last number of the options: that of the device, as the caller writes them. */
static Error* client_compile(CompileArgs* args) {
  CHECK_SIZE(args);
  CHECK_SIZE(args->program);
  const std::string format(args->program->format, args->program->format_size);
  if (format != "mlir") return fail(kInvalidArgument, "programs of format " + format);
  if (args->options_size == 0) return fail(kInvalidArgument, "no options");
  const int id = args->options[args->options_size - 1];
  for (Device* device : args->client->list) {
    if (device->id != id) continue;
    try {
      auto program = compile(std::string(args->program->code, args->program->code_size));
      args->executable = new Executable{std::move(program), device};
    } catch (const Failure& failure) {
      return fail(failure.code, failure.what());
    }
    live_executables++;
    return nullptr;
  }
  return fail(kInvalidArgument, "no device of number " + std::to_string(id));
}

static Error* upload(UploadArgs* args) {
  CHECK_SIZE(args);
  if (args->byte_strides != nullptr || args->semantics != 0 || args->layout != nullptr)
    return fail(kUnimplemented, "only row-major numbers that are read at once");
  auto content = std::make_shared<Content>();
  content->type = {static_cast<Element>(args->type), {args->dims, args->dims + args->num_dims}};
  const size_t bytes = content->type.bytes();
  const long most = setting("STUB_BYTES", 0);
  if (most > 0 && bytes > static_cast<size_t>(most))
    return fail(kResourceExhausted, std::to_string(bytes) + " bytes do not fit");
  const auto* data = static_cast<const uint8_t*>(args->data);
  content->array = std::make_shared<Array>(Array{content->type, {data, data + bytes}});
  content->state->finish();
  args->buffer = buffer_of(args->device, content);
  args->done_with_host_buffer = event_of(content->state);
  return nullptr;
}

static Error* device_description(DescriptionArgs* args) {
  args->description = args->device;
  return nullptr;
}
static Error* device_id(IdArgs* args) {
  args->id = args->description->id;
  return nullptr;
}
static Error* device_kind(KindArgs* args) {
  args->kind = "stub device";
  args->kind_size = std::strlen(args->kind);
  return nullptr;
}
static Error* device_stats(StatsArgs* args) {
  CHECK_SIZE(args);
  const int most = setting("STUB_BYTES", 0);
  if (most == 0) return fail(kUnimplemented, "no statistics");
  args->limit = {most, true};
  return nullptr;
}

static Error* executable_destroy(ExecutableArgs* args) {
  live_executables--;
  delete args->executable;
  return nullptr;
}

static Error* execute(ExecuteArgs* args) {
  CHECK_SIZE(args);
  CHECK_SIZE(args->options);
  const auto& program = args->executable->program;
  Device* device = args->executable->device;
  if (args->num_devices != 1 || args->num_args != program->inputs.size())
    return fail(kInvalidArgument, std::to_string(program->inputs.size()) + " arguments expected");
  std::vector<ContentPtr> given;
  for (size_t i = 0; i < args->num_args; i++) {
    Buffer* buffer = args->arguments[0][i];
    const Type& type = program->inputs[i];
    if (buffer->donated) return fail(kInvalidArgument, "argument " + std::to_string(i) + " was given away");
    if (buffer->device != device) return fail(kInvalidArgument, "argument of another device");
    if (buffer->content->type.element != type.element || buffer->content->type.dims != type.dims)
      return fail(kInvalidArgument, "argument " + std::to_string(i) + " is of another type");
    if (program->alias[i] >= 0) buffer->donated = true;
    given.push_back(buffer->content);
  }
  std::vector<ContentPtr> made;
  for (size_t i = 0; i < program->outputs.size(); i++) {
    made.push_back(std::make_shared<Content>());
    made[i]->type = program->outputs[i];
    args->outputs[0][i] = buffer_of(device, made[i]);
  }
  auto whole = std::make_shared<State>();
  if (args->complete != nullptr) args->complete[0] = event_of(whole);
  device->ask([program, given, made, whole] {
    attempt(whole, [&] {
      std::vector<ArrayPtr> inputs;
      for (const auto& content : given) {
        content->state->raise();
        inputs.push_back(content->array);
      }
      const auto outputs = program->run(inputs);
      for (size_t i = 0; i < made.size(); i++) made[i]->array = outputs[i];
    });
    for (const auto& content : made) content->state->finish(whole->code, whole->message);
  });
  return nullptr;
}

static Error* buffer_destroy(BufferArgs* args) {
  if (args->buffer == nullptr) return nullptr;
  live_buffers--;
  delete args->buffer;
  return nullptr;
}

static Error* copy_to_device(CopyArgs* args) {
  CHECK_SIZE(args);
  if (args->buffer->donated) return fail(kInvalidArgument, "the buffer was given away");
  auto content = std::make_shared<Content>();
  auto from = args->buffer->content;
  content->type = from->type;
  args->copy = buffer_of(args->device, content);
  args->buffer->device->ask([from, content] {
    attempt(content->state, [&] {
      from->state->raise();
      content->array = from->array;
    });
  });
  return nullptr;
}

static Error* download(DownloadArgs* args) {
  CHECK_SIZE(args);
  auto content = args->buffer->content;
  if (args->buffer->donated) return fail(kInvalidArgument, "the buffer was given away");
  if (args->data == nullptr || args->size < content->type.bytes())
    return fail(kInvalidArgument, "room for " + std::to_string(content->type.bytes()) + " bytes expected");
  auto state = std::make_shared<State>();
  args->event = event_of(state);
  void* to = args->data;
  args->buffer->device->ask([content, state, to] {
    attempt(state, [&] {
      content->state->raise();
      std::memcpy(to, content->array->bytes.data(), content->array->bytes.size());
    });
  });
  return nullptr;
}

static constexpr int kFunctions = 128;
static struct {
  size_t struct_size;
  void* extensions;
  struct {
    size_t struct_size;
    void* extensions;
    int major, minor;
  } version;
  void* functions[kFunctions];
} table;

extern "C" {
/** What was made and not given back. */
long stub_live() { return live_errors + live_events + live_clients + live_buffers + live_executables; }

const void* GetPjrtApi() {
  table.struct_size = sizeof(table);
  table.version = {sizeof(table.version), nullptr, setting("STUB_MAJOR", 0), setting("STUB_MINOR", 90)};
  void** f = table.functions;
  f[0] = (void*)error_destroy, f[1] = (void*)error_message, f[2] = (void*)error_code, f[3] = (void*)initialize;
  f[5] = (void*)event_destroy, f[6] = (void*)event_ready, f[7] = (void*)event_error, f[8] = (void*)event_await;
  f[10] = (void*)client_create, f[11] = (void*)client_destroy;
  f[12] = (void*)platform_name, f[14] = (void*)platform_version, f[16] = (void*)addressable_devices;
  f[20] = (void*)client_compile, f[22] = (void*)upload;
  f[23] = (void*)device_id, f[26] = (void*)device_kind, f[29] = (void*)device_description, f[34] = (void*)device_stats;
  f[50] = (void*)executable_destroy, f[55] = (void*)execute;
  f[58] = (void*)buffer_destroy, f[69] = (void*)copy_to_device, f[70] = (void*)download;
  // A function that a test takes away.
  const int missing = setting("STUB_MISSING", -1);
  if (missing >= 0) f[missing] = nullptr;
  return &table;
}
}
