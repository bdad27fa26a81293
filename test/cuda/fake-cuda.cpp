// The part of libcuda and NVRTC that halomesh calls, over the emulator: memory of the host, a queue that is always empty, and code
// that is a library of the host. It keeps the rules that a real driver would complain about.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

using u64 = uint64_t;
extern "C" {
void *em_allocate(long long bytes);
void em_free(void *at);
typedef const char *(*Run)(long long blocks, int threads, long long shared, const void *args);
}

namespace {
enum { ok = 0, invalid = 1, no_memory = 2, bad_context = 201, not_ready = 600, launch_failed = 719 };
constexpr u64 limit = 1ull << 32;
std::map<u64, size_t> device_memory, host_memory;
std::set<u64> streams, events, modules, graphs, opened;
struct Function {
  Run run;
  size_t argument_bytes;
};
std::map<u64, Function> functions;
u64 next_handle = 1, current = 0, retained = 0;
bool capturing = false;
struct Launched {
  Run run;
  unsigned blocks;
  int threads;
  unsigned shared;
  std::vector<char> args; // as they were when it was asked for
};
std::vector<Launched> recording;
std::map<u64, std::vector<Launched>> graph_launches, executables;
// What was asked for, a letter each: u upload, d download, k kernel, g graph, m move, w first look whether an event is reached,
// s synchronisation.
std::string asked;
std::set<u64> looked;
int run_now(const Launched &l) {
  const char *problem = l.run(l.blocks, l.threads, l.shared, l.args.data());
  return problem ? (fprintf(stderr, "%s\n", problem), launch_failed) : ok;
}
std::map<u64, u64> recorded; // place in the queue, by event
u64 place = 0, reached = 0;  // the queue is seen to have come there
u64 used() {
  u64 sum = 0;
  for (const auto &entry : device_memory) sum += entry.second;
  return sum;
}
bool inside(const std::map<u64, size_t> &memory, u64 at, size_t bytes) {
  auto it = memory.upper_bound(at);
  return it != memory.begin() && (--it, at + bytes <= it->first + it->second);
}
int take(std::map<u64, size_t> &memory, u64 *at, size_t bytes) {
  if (!current) return bad_context;
  if (bytes == 0) return invalid;
  if (&memory == &device_memory && used() + bytes > limit) return no_memory;
  *at = (u64)em_allocate((long long)bytes);
  memory[*at] = bytes;
  return ok;
}
int give(std::map<u64, size_t> &memory, u64 at) {
  if (!memory.erase(at)) return invalid;
  em_free((void *)at);
  return ok;
}
int create(std::set<u64> &set, u64 *handle) { return set.insert(*handle = next_handle++), current ? ok : bad_context; }
int destroy(std::set<u64> &set, u64 handle) { return set.erase(handle) ? ok : invalid; }
} // namespace

extern "C" {
int cuInit(unsigned) { return ok; }
int cuDriverGetVersion(int *version) { return *version = 13000, ok; }
int cuDeviceGetCount(int *count) { return *count = getenv("FAKE_CUDA_COUNT") ? atoi(getenv("FAKE_CUDA_COUNT")) : 1, ok; }
int cuDeviceGet(int *device, int ordinal) { return *device = 7 + ordinal, ordinal >= 0 && ordinal < 2 ? ok : invalid; }
int cuDeviceGetName(char *name, int length, int device) {
  return snprintf(name, size_t(length), device == 7 ? "Fake GPU" : "Fake GPU %d", device - 7), ok;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  const char *old = getenv("FAKE_CUDA_OLD");
  const int shared = 227 << 10;
  return *value = attribute == 75 ? (old ? 7 : 9) : attribute == 76 ? (old ? 5 : 0) : attribute == 97 ? shared : -1, ok;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = limit, ok; }
int cuDevicePrimaryCtxRetain(u64 *context, int device) { return retained++, *context = 99, device == 7 ? ok : invalid; }
int cuDevicePrimaryCtxRelease_v2(int) { return --retained == 0 ? current = 0 : current, ok; }
int cuCtxSetCurrent(u64 context) { return current = context, ok; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { return *total = limit, *free = limit - used(), ok; }
int cuMemAlloc_v2(u64 *at, size_t bytes) { return take(device_memory, at, bytes); }
int cuMemFree_v2(u64 at) { return give(device_memory, at); }
int cuMemHostAlloc(u64 *at, size_t bytes, unsigned flags) { return flags == 3 ? take(host_memory, at, bytes) : invalid; }
int cuMemFreeHost(u64 at) { return give(host_memory, at); }
int cuMemcpyHtoDAsync_v2(u64 to, const void *from, size_t bytes, u64 stream) {
  if (!streams.count(stream) || !inside(device_memory, to, bytes) || capturing) return invalid;
  asked += inside(host_memory, (u64)from, bytes) ? 'm' : 'u';
  return memcpy((void *)to, from, bytes), ok;
}
int cuMemcpyDtoHAsync_v2(void *to, u64 from, size_t bytes, u64 stream) {
  if (!streams.count(stream) || !inside(device_memory, from, bytes) || capturing) return invalid;
  asked += 'd';
  return memcpy(to, (void *)from, bytes), ok;
}
// To and from memory of either kind, and what was opened of others.
int cuMemcpyAsync(u64 to, u64 from, size_t bytes, u64 stream) {
  const auto known = [&](u64 at) { return inside(device_memory, at, bytes) || inside(host_memory, at, bytes) || opened.count(at); };
  if (!streams.count(stream) || !known(to) || !known(from) || capturing) return invalid;
  return memcpy((void *)to, (void *)from, bytes), ok;
}
struct Handle {
  char bytes[64];
};
int cuIpcGetMemHandle(Handle *handle, u64 at) {
  if (!device_memory.count(at)) return invalid;
  return memcpy(handle->bytes + 8, &at, 8), memcpy(handle->bytes + 56, &at, 8), ok;
}
int cuIpcOpenMemHandle_v2(u64 *at, Handle handle, unsigned flags) {
  u64 first, last;
  memcpy(&first, handle.bytes + 8, 8), memcpy(&last, handle.bytes + 56, 8);
  return first == last && flags == 1 && device_memory.count(first) ? (opened.insert(*at = first), ok) : invalid;
}
int cuIpcCloseMemHandle(u64 at) { return destroy(opened, at); }
int cuStreamCreate(u64 *stream, unsigned) { return create(streams, stream); }
int cuStreamDestroy_v2(u64 stream) { return destroy(streams, stream); }
int cuStreamSynchronize(u64 stream) { return asked += 's', streams.count(stream) && !capturing ? ok : invalid; }
int cuStreamWaitEvent(u64 stream, u64 event, unsigned) { return streams.count(stream) && events.count(event) ? ok : invalid; }
int cuStreamBeginCapture_v2(u64 stream, int mode) {
  if (!streams.count(stream) || capturing || mode != 2) return invalid;
  return capturing = true, recording.clear(), ok;
}
int cuStreamEndCapture(u64 stream, u64 *graph) {
  if (!streams.count(stream) || !capturing) return invalid;
  capturing = false;
  graphs.insert(*graph = next_handle++);
  return graph_launches[*graph] = recording, ok;
}
int cuGraphInstantiateWithFlags(u64 *executable, u64 graph, u64 flags) {
  if (!graphs.count(graph) || flags != 0) return invalid;
  graphs.insert(*executable = next_handle++);
  return executables[*executable] = graph_launches[graph], ok;
}
int cuGraphLaunch(u64 executable, u64 stream) {
  if (!executables.count(executable) || !streams.count(stream) || capturing) return invalid;
  asked += 'g';
  for (const Launched &l : executables[executable])
    if (run_now(l) != ok) return launch_failed;
  return ok;
}
int cuGraphExecDestroy(u64 executable) { return executables.erase(executable), destroy(graphs, executable); }
int cuGraphDestroy(u64 graph) { return graph_launches.erase(graph), destroy(graphs, graph); }
int cuEventCreate(u64 *event, unsigned) { return create(events, event); }
int cuEventRecord(u64 event, u64 stream) {
  recorded[event] = ++place;
  looked.erase(event);
  return capturing ? invalid : events.count(event) && streams.count(stream) ? ok : invalid;
}
// Not at first: what is asked for is done later.
int cuEventQuery(u64 event) {
  if (!events.count(event) || !recorded.count(event)) return invalid;
  if (looked.insert(event).second) asked += 'w';
  if (recorded[event] <= reached) return ok;
  return reached = recorded[event], not_ready;
}
int cuEventElapsedTime(float *milliseconds, u64 first, u64 last) {
  return *milliseconds = 0.5f, events.count(first) && events.count(last) ? ok : invalid;
}
int cuEventDestroy_v2(u64 event) { return destroy(events, event); }
// Code that does nothing, where only what is asked for matters.
const char idle_code[] = "idle";
const char *idle_kernel(long long, int, long long, const void *) { return nullptr; }
int cuModuleLoadData(u64 *module, const void *image) {
  if (capturing) return invalid;
  if (!strcmp((const char *)image, idle_code)) return modules.insert(*module = next_handle++), ok;
  *module = (u64)dlopen((const char *)image, RTLD_NOW);
  return *module ? (modules.insert(*module), ok) : (fprintf(stderr, "%s\n", dlerror()), invalid);
}
int cuModuleUnload(u64 module) { return destroy(modules, module); }
int cuModuleGetFunction(u64 *function, u64 module, const char *name) {
  *function = next_handle++;
  if (module < 1u << 20) return functions[*function] = {idle_kernel, 0}, ok;
  const auto of_kernel = [&](const char *what) { return dlsym((void *)module, (std::string(name) + what).c_str()); };
  const auto *const bytes = (const size_t *)of_kernel("_argument_bytes");
  functions[*function] = {(Run)of_kernel("_run"), bytes ? *bytes : 0};
  return functions[*function].run && bytes ? ok : invalid;
}
int cuFuncSetAttribute(u64 function, int attribute, int value) {
  return functions.count(function) && attribute == 8 && value <= 232448 ? ok : invalid;
}
int cuLaunchKernel(u64 function, unsigned x, unsigned y, unsigned z, unsigned bx, unsigned by, unsigned bz, unsigned shared, u64 stream,
                   void **params, void **extra) {
  if (!functions.count(function) || !streams.count(stream) || extra || !params) return invalid;
  if (x == 0 || y != 1 || z != 1 || by != 1 || bz != 1 || shared > 232448) return invalid;
  const Function &known = functions[function];
  const char *const given = (const char *)params[0];
  const Launched launch{known.run, x, int(bx), shared, std::vector<char>(given, given + known.argument_bytes)};
  if (capturing) return recording.push_back(launch), ok;
  return asked += 'k', run_now(launch);
}
int cuGetErrorName(int code, const char **name) {
  *name = code == no_memory ? "CUDA_ERROR_OUT_OF_MEMORY" : code == launch_failed ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_INVALID_VALUE";
  return ok;
}
int cuGetErrorString(int, const char **text) { return *text = "said by the fake", ok; }
// What is left: bytes of memory, and handles.
int fake_left(void) { return int(device_memory.size() + host_memory.size() + streams.size() + events.size() + modules.size() + graphs.size() + opened.size() + retained); }
const char *fake_asked(void) {
  static std::string told;
  return told = asked, asked.clear(), told.c_str();
}

// ---- NVRTC: a program is its name and source; its code the name of a library ---------------------------------------------
struct Program {
  std::string name, source, log, code;
};
int nvrtcVersion(int *major, int *minor) { return *major = 13, *minor = 0, ok; }
const char *nvrtcGetErrorString(int code) { return code == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }
int nvrtcCreateProgram(u64 *program, const char *source, const char *name, int headers, const char *const *, const char *const *) {
  *program = (u64) new Program{name, source, "", ""};
  return headers == 0 ? 0 : 3;
}
int nvrtcCompileProgram(u64 program, int count, const char *const *options) {
  Program &p = *(Program *)program;
  if (getenv("FAKE_CUDA_IDLE")) return p.code = idle_code, 0;
  const std::string kernel = p.name.substr(0, p.name.find('.'));
  const std::string base = std::string(getenv("FAKE_CUDA_FOLDER")) + "/" + kernel + "-" + std::to_string(getpid());
  FILE *file = fopen((base + ".cpp").c_str(), "w");
  fprintf(file, "#include \"%s\"\n%s\nstatic void enter(const void *a) { %s(*(const Args *)a); }\n", getenv("FAKE_CUDA_HEADER"),
          p.source.c_str(), kernel.c_str());
  fprintf(file, "extern \"C\" const unsigned long long %s_argument_bytes = sizeof(Args);\n", kernel.c_str());
  fprintf(file, "extern \"C\" const char *%s_run(long long b, int t, long long s, const void *a) { return em_launch(b, t, s, 1, 0, enter, a); }\n",
          kernel.c_str());
  fclose(file);
  bool architecture = false;
  for (int i = 0; i < count; i++) architecture |= std::string(options[i]) == "--gpu-architecture=sm_90";
  const std::string command = "g++ -std=c++17 -O1 -w -shared -fPIC -ffp-contract=off " + base + ".cpp -o " + base + ".so " +
                              getenv("FAKE_CUDA_EMULATOR") + " 2> " + base + ".log";
  p.code = base + ".so";
  p.log = architecture ? "the compiler's words" : "no architecture";
  return architecture && system(command.c_str()) == 0 ? 0 : 6;
}
int nvrtcGetProgramLogSize(u64 program, size_t *bytes) { return *bytes = ((Program *)program)->log.size() + 1, 0; }
int nvrtcGetProgramLog(u64 program, char *log) { return strcpy(log, ((Program *)program)->log.c_str()), 0; }
int nvrtcGetCUBINSize(u64 program, size_t *bytes) { return *bytes = ((Program *)program)->code.size() + 1, 0; }
int nvrtcGetCUBIN(u64 program, char *code) { return strcpy(code, ((Program *)program)->code.c_str()), 0; }
int nvrtcDestroyProgram(u64 *program) { return delete (Program *)*program, *program = 0, 0; }
}
