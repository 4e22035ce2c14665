# SPDX-License-Identifier: MIT
# find_package(aclkm) gives the targets aclkm::aclkm and aclkm::aclkm_static. The folders
# are found from this file's own, so that an installation may be moved, or have a DESTDIR.
get_filename_component(_aclkm_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET aclkm::aclkm)
  find_package(Threads REQUIRED)
  add_library(aclkm::aclkm SHARED IMPORTED)
  set_target_properties(aclkm::aclkm PROPERTIES
    IMPORTED_LOCATION "${_aclkm_prefix}/lib/libaclkm.so.0"
    IMPORTED_SONAME "libaclkm.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_aclkm_prefix}/include")
  add_library(aclkm::aclkm_static STATIC IMPORTED)
  set_target_properties(aclkm::aclkm_static PROPERTIES
    IMPORTED_LOCATION "${_aclkm_prefix}/lib/libaclkm.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_aclkm_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
endif()
unset(_aclkm_prefix)
