// The part of the PJRT C interface that the stub implements, version 0.90: every argument struct begins with its size and a list of
// extensions. Functions that the stub does not have are null in its table.
#pragma once
#include <cstddef>
#include <cstdint>

struct Error;
struct Event;
struct Client;
struct Device;
struct Buffer;
struct Executable;

struct Head {
  size_t struct_size;
  void* extensions;
};

struct ErrorArgs : Head {
  Error* error;
};
struct MessageArgs : Head {
  const Error* error;
  const char* message;
  size_t message_size;
};
struct CodeArgs : Head {
  const Error* error;
  int code;
};
struct EventArgs : Head {
  Event* event;
};
struct ReadyArgs : Head {
  Event* event;
  bool is_ready;
};
struct CreateArgs : Head {
  const void* options;
  size_t num_options;
  void *get, *get_argument, *put, *put_argument;
  Client* client;
  void *try_get, *try_get_argument;
};
struct ClientArgs : Head {
  Client* client;
};
struct ClientTextArgs : Head {
  Client* client;
  const char* text;
  size_t text_size;
};
struct DevicesArgs : Head {
  Client* client;
  Device* const* devices;
  size_t num_devices;
};
struct ProgramText : Head {
  char* code;
  size_t code_size;
  const char* format;
  size_t format_size;
};
struct CompileArgs : Head {
  Client* client;
  const ProgramText* program;
  const char* options;
  size_t options_size;
  Executable* executable;
};
struct UploadArgs : Head {
  Client* client;
  const void* data;
  int type;
  const int64_t* dims;
  size_t num_dims;
  const int64_t* byte_strides;
  size_t num_byte_strides;
  int semantics;
  Device* device;
  void* memory;
  void* layout;
  Event* done_with_host_buffer;
  Buffer* buffer;
};
struct DescriptionArgs : Head {
  Device* device;
  Device* description;
};
struct IdArgs : Head {
  Device* description;
  int id;
};
struct KindArgs : Head {
  Device* description;
  const char* kind;
  size_t kind_size;
};
struct StatsArgs : Head {
  Device* device;
  int64_t bytes_in_use;
  struct {
    int64_t value;
    bool is_set;
  } peak, allocations, largest, limit;
};
struct ExecutableArgs : Head {
  Executable* executable;
};
struct ExecuteOptions : Head {
  void *send, *recv;
  size_t num_send, num_recv;
  int launch_id;
  const int64_t* non_donatable;
  size_t num_non_donatable;
  void* context;
  const char* location;
  size_t num_tasks;
  int* task_ids;
  int64_t* incarnation_ids;
};
struct ExecuteArgs : Head {
  Executable* executable;
  ExecuteOptions* options;
  Buffer* const* const* arguments;
  size_t num_devices;
  size_t num_args;
  Buffer** const* outputs;
  Event** complete;
  Device* device;
};
struct BufferArgs : Head {
  Buffer* buffer;
};
struct CopyArgs : Head {
  Buffer* buffer;
  Device* device;
  Buffer* copy;
};
struct DownloadArgs : Head {
  Buffer* buffer;
  const void* layout;
  void* data;
  size_t size;
  Event* event;
};
