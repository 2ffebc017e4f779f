# generate_constants(NAME HEADER SOURCE): SOURCE is a program that prints macros (build/constants.h);
# assembly and linker scripts include what it prints as HEADER. Whoever does depends on
# NAME-constants.
set(constants_dir ${CMAKE_BINARY_DIR}/constants)
include_directories(${constants_dir})
function(generate_constants name header source)
  add_executable(print-${name}-constants ${source})
  get_filename_component(folder ${constants_dir}/${header} DIRECTORY)
  add_custom_command(OUTPUT ${constants_dir}/${header}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND print-${name}-constants > ${constants_dir}/${header}
    DEPENDS print-${name}-constants)
  add_custom_target(${name}-constants DEPENDS ${constants_dir}/${header})
  target_include_directories(print-${name}-constants PRIVATE ${PROJECT_SOURCE_DIR})
endfunction()

# use_linker_script(TARGET SCRIPT NAME): links TARGET by SCRIPT, preprocessed, in which NAME's
# constants may be included.
function(use_linker_script target script name)
  get_filename_component(file ${script} NAME)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${target}.${file})
  add_custom_command(OUTPUT ${made}
    COMMAND ${CMAKE_CXX_COMPILER} -E -P -undef -x assembler-with-cpp -I${constants_dir}
            -MD -MF ${made}.d -MT ${made} -o ${made} ${script}
    DEPENDS ${script} ${name}-constants DEPFILE ${made}.d VERBATIM)
  add_custom_target(${target}-script DEPENDS ${made})
  add_dependencies(${target} ${target}-script)
  target_link_options(${target} PRIVATE -T ${made})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${made})
endfunction()

# Of the virtual machine interface, which is all headers.
generate_constants(vmi vmi/constants.h ${PROJECT_SOURCE_DIR}/common/build/vmi_constants.cpp)
