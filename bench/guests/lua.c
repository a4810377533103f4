// Debian's Lua over interpreter.lua. Its own loader and libraries lie beside it, so that it runs from any folder.
#include <stdio.h>

#include "command.h"
#include "programs.h"

uint64_t lua_run(unsigned scale) {
  char units[16];
  char *const arguments[] = {"./lua/loader", "--library-path", "./lua", "./lua/lua", "./lua/interpreter.lua", units, 0};
  snprintf(units, sizeof units, "%u", scale);
  return command_checksum(arguments, "", 0);
}
