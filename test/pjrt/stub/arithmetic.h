// What is done to one number, or two.
#pragma once
#include "values.h"

bool is_unary(const std::string& name);
double unary(const std::string& name, double x, Element element);
/** False where there is no operation of this name. */
bool binary(const std::string& name, double a, double b, Element element, double& out);
/** Whether a comparison such as `GE` holds. */
bool compared(const std::string& how, double a, double b);
bool is_whole(Element element);
/** The name of what joins two numbers in a reduction, behind a place of its text. */
std::string join_of(const Operation& op, size_t from);
double joined(const std::string& how, double a, double b, Element element);
