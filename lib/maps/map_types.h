// map_types: the makers of the built-in table types, for open.cpp alone. Each gets the text after "type:".
#pragma once

#include "maps/map.h"

namespace maps {

std::unique_ptr<Map> open_indexed(const std::string& type, const std::string& name, const Options& options);
std::unique_ptr<Map> open_texthash(const std::string& name, const Options& options);
std::unique_ptr<Map> open_inline(const std::string& name, const Options& options);
std::unique_ptr<Map> open_static(const std::string& name, const Options& options);
std::unique_ptr<Map> open_fail(const std::string& name, const Options& options);
std::unique_ptr<Map> open_environ(const std::string& name, const Options& options);
std::unique_ptr<Map> open_unix(const std::string& name, const Options& options);
std::unique_ptr<Map> open_regexp(const std::string& name, const Options& options);
std::unique_ptr<Map> open_pcre(const std::string& name, const Options& options);
std::unique_ptr<Map> open_cidr(const std::string& name, const Options& options);
std::unique_ptr<Map> open_unionmap(const std::string& name, const Options& options);
std::unique_ptr<Map> open_pipemap(const std::string& name, const Options& options);
std::unique_ptr<Map> open_randmap(const std::string& name, const Options& options);
std::unique_ptr<Map> open_tcp(const std::string& name, const Options& options);
std::unique_ptr<Map> open_socketmap(const std::string& name, const Options& options);
std::unique_ptr<Map> open_module(const std::string& type, const std::string& name, const Options& options);

} // namespace maps
