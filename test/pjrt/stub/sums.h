// Operations each of whose elements joins many others.
#pragma once
#include "values.h"

Numbers reduced(const Operation& op, const Value& x, double start);
Numbers windowed(const Operation& op, const Value& x, double start);
Numbers dot(const Operation& op, const Value& a, const Value& b);
Numbers convolved(const Operation& op, const Value& x, const Value& w);
