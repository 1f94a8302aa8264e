#define WIDTH 16
#include "PointwiseGradient.c"
