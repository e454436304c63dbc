// lists: .forward files and :include: lists, read as the user whose worker this is. Blocks; runs on a thread of a worker.
#pragma once

#include "order.h"

namespace local_delivery {

// Kinds visit and read_forward. report.found says whether a .forward file counts; without one there may be warnings why.
Answer read_forward(const Order& order);
// Kind read_include.
Answer read_include(const Order& order);

} // namespace local_delivery
