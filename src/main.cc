#include "app/commands.h"

int main(int argc, char** argv) { return spangate::run_command(argc, argv); }
