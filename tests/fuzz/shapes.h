// What the system calls take: a letter for each argument, read by system_calls.cpp.
#pragma once

#include <cstdint>

namespace fuzz {

struct Shape {
  std::uint16_t number;
  const char* letters;
};

// f descriptor, d directory descriptor, p path, b buffer, n length, o open flags, m mode, D device
// number, i small number, I any number, s signal, g signal set, z its size, G signal action, t
// timespec, T two timevals, k clock, P process, a mapping's address, l its length, r its
// protection, M its flags, O offset, K the same in pages, e and h small flags and hints about
// mappings, v iovec, c count, y pollfds, S structure, R resource, C clone flags, A strings, F futex
// operation, q fcntl command, Q ioctl command, u user, x flags, w whence, 0 zero
constexpr Shape shapes[] = {
    {0, "fbn"},      {1, "fbn"},      {2, "pom"},     {3, "f"},        {4, "pS"},
    {5, "fS"},       {6, "pS"},       {7, "yci"},     {8, "fOw"},      {9, "alrMfK"},
    {10, "alr"},     {11, "al"},      {12, "a"},      {13, "sGGz"},    {14, "iggz"},
    {15, ""},        {16, "fQS"},     {17, "fbnO"},   {18, "fbnO"},    {19, "fvc"},
    {20, "fvc"},     {21, "pi"},      {22, "S"},      {23, "cSSST"},   {24, ""},
    {25, "allea"},   {26, "ale"},     {27, "alS"},    {28, "alh"},     {32, "f"},
    {33, "ff"},      {34, ""},        {35, "tS"},     {36, "iS"},      {37, "i"},
    {38, "iTS"},     {39, ""},        {40, "ffSn"},   {41, "iii"},     {42, "fSn"},
    {43, "fSS"},     {44, "fbnxSn"},  {45, "fbnxSS"}, {46, "fSx"},     {47, "fSx"},
    {48, "fi"},      {49, "fSn"},     {50, "fi"},     {51, "fSS"},     {52, "fSS"},
    {53, "iiiS"},    {54, "fiiSn"},   {55, "fiiSS"},  {56, "C0SSS"},   {57, ""},
    {58, ""},        {59, "pAA"},     {60, "i"},      {61, "PSxS"},    {62, "Ps"},
    {63, "S"},       {72, "fqI"},     {73, "fi"},     {74, "f"},       {75, "f"},
    {76, "pO"},      {77, "fO"},      {79, "Sn"},     {80, "p"},       {81, "f"},
    {82, "pp"},      {83, "pm"},      {84, "p"},      {85, "pm"},      {86, "pp"},
    {87, "p"},       {88, "pp"},      {89, "pbn"},    {90, "pm"},      {91, "fm"},
    {92, "puu"},     {93, "fuu"},     {94, "puu"},    {95, "m"},       {96, "SS"},
    {97, "RS"},      {98, "iS"},      {99, "S"},      {100, "S"},      {102, ""},
    {105, "u"},      {106, "u"},      {109, "PP"},    {110, ""},       {111, ""},
    {112, ""},       {113, "uu"},     {114, "uu"},    {115, "iS"},     {116, "iS"},
    {117, "uuu"},    {118, "SSS"},    {119, "uuu"},   {120, "SSS"},    {121, "P"},
    {124, "P"},      {127, "Sz"},     {128, "gStz"},  {129, "PsS"},    {130, "gz"},
    {131, "SS"},     {132, "pT"},     {133, "pmD"},   {135, "i"},      {137, "pS"},
    {138, "fS"},     {140, "iP"},     {141, "iPi"},   {149, "al"},     {150, "al"},
    {151, "x"},      {152, ""},       {157, "iSSSS"}, {158, "Ia"},     {160, "RS"},
    {161, "p"},      {162, ""},       {164, "SS"},    {186, ""},       {188, "ppSnx"},
    {191, "ppSn"},   {194, "pSn"},    {197, "pp"},    {200, "Ps"},     {201, "S"},
    {202, "SFitSi"}, {203, "PnS"},    {204, "PnS"},   {213, "i"},      {217, "fbn"},
    {218, "S"},      {221, "fOOi"},   {222, "kSS"},   {223, "ixTS"},   {224, "iS"},
    {225, "i"},      {226, "i"},      {227, "kS"},    {228, "kS"},     {229, "kS"},
    {230, "kxtS"},   {231, "i"},      {232, "fbci"},  {233, "fifS"},   {234, "PPs"},
    {235, "pT"},     {247, "iPSxS"},  {257, "dpom"},  {258, "dpm"},    {259, "dpmD"},
    {260, "dpuux"},  {261, "dpT"},    {262, "dpSx"},  {263, "dpx"},    {264, "dpdp"},
    {265, "dpdpx"},  {266, "pdp"},    {267, "dpbn"},  {268, "dpm"},    {269, "dpi"},
    {270, "cSSStS"}, {271, "yctgz"},  {273, "Sn"},    {280, "dpTx"},   {281, "fbcigz"},
    {282, "fgz"},    {283, "kx"},     {284, "i"},     {285, "fxOO"},   {286, "fxTS"},
    {287, "fS"},     {288, "fSSx"},   {289, "fgzx"},  {290, "ix"},     {291, "x"},
    {292, "ffo"},    {293, "So"},     {295, "fvcO"},  {296, "fvcO"},   {299, "fScxt"},
    {302, "PRSS"},   {306, "f"},      {307, "fScx"},  {309, "SS"},     {316, "dpdpx"},
    {318, "bnx"},    {324, "iii"},    {325, "alx"},   {326, "fSfSnx"}, {332, "dpxxS"},
    {334, "Snxi"},   {424, "fsSx"},   {434, "Px"},    {435, "Sn"},     {436, "ffx"},
    {439, "dpix"},   {441, "fbctgz"},
};

/// Made more often: what makes and moves memory, files and processes.
constexpr std::uint16_t favourites[] = {0,   1,   2,   2,   3,   9,   9,   9,   10, 10,  11,  25,
                                        25,  28,  17,  18,  22,  33,  57,  61,  77, 72,  83,  87,
                                        86,  12,  56,  82,  13,  62,  40,  19,  20, 257, 293, 326,
                                        285, 223, 222, 233, 233, 232, 290, 283, 286};

}  // namespace fuzz
