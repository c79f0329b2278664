// The public header in C++: compiled and linked, not only parsed.
#include <pardigits/pardigits.h>

#include <cstring>

int main() {
    pardigits_model *model = pardigits_open(nullptr);
    return model != nullptr || std::strlen(pardigits_last_error()) == 0 ||
           std::strcmp(pardigits_version(), PARDIGITS_VERSION) != 0;
}
