#define WIDTH 16
#include "Winograd.c"
