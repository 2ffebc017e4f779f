# embed_image(TARGET SYMBOL IMAGE_TARGET): puts the linked image of IMAGE_TARGET into TARGET as
# bytes between SYMBOL_begin and SYMBOL_end (extern "C" const std::byte[]), so that the tool is one
# file that needs no other at run time.
function(embed_image target symbol image)
  set(stub ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  file(GENERATE OUTPUT ${stub} CONTENT
"  .section .rodata\n  .balign 4096\n  .globl ${symbol}_begin, ${symbol}_end\n${symbol}_begin:\n  .incbin \"$<TARGET_FILE:${image}>\"\n${symbol}_end:\n  .section .note.GNU-stack,\"\",@progbits\n")
  set_source_files_properties(${stub} PROPERTIES GENERATED TRUE
    OBJECT_DEPENDS "$<TARGET_FILE:${image}>")
  set_property(SOURCE ${stub} PROPERTY OBJECT_DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.stamp)
  add_custom_command(OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.stamp
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.stamp
    DEPENDS ${image} $<TARGET_FILE:${image}>)
  target_sources(${target} PRIVATE ${stub})
endfunction()
