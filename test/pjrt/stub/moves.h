// Operations whose elements are those of others, moved.
#pragma once
#include "values.h"

bool is_move(const std::string& name);
Numbers moved(const Operation& op, const std::vector<const Value*>& in);
