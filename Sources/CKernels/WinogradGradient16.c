#define WIDTH 16
#include "WinogradGradient.c"
