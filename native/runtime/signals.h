// Signals that end a process while its program cannot hear of them.
#pragma once
#include "halomesh.h"

#ifdef __cplusplus
extern "C" {
#endif

// From now on SIGINT, SIGTERM and SIGHUP remove these files and then end the process as they do by themselves, whatever it is at.
// `paths`: each ends with a zero byte; `bytes` of them in all. Null: signals end the process again and remove nothing. Not to be
// called by two threads at once.
HM_API int hm_remove_on_signals(const char *paths, int64_t bytes);

#ifdef __cplusplus
}
#endif
