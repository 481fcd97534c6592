// The limit of open files (RLIMIT_NOFILE).
#pragma once

namespace spangate {

// Raises the process's soft limit to its hard one; a failure is logged. gRPC 1.51 stops accepting
// for good after one shortage of descriptors (README.md), so there must be none.
void raise_descriptor_limit();

}  // namespace spangate
