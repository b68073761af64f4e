// Memory that is free and still held from the system. Thread: any.
#pragma once

namespace base {

// Gives it back now. Worth a call after much was let go at once.
void release_free_memory();

}  // namespace base
