// real_world: the forms of values and services that public mail servers have in their main.cf and master.cf.
#include "catch.h"

#include "config/config.h"
#include "config/master_cf.h"

#include "folder.h"

using config::Config;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

// A containerised system with SQL tables, postscreen and milters.
const char* const container_main = R"(biff = no
append_dot_mydomain = no
tls_server_sni_maps = hash:/opt/postfix/conf/sni.map
smtpd_use_tls=yes
smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache
smtpd_relay_restrictions = permit_mynetworks,
  permit_sasl_authenticated,
  defer_unauth_destination
# alias maps are made at start
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 10.0.0.0/8 [fe80::]/10 [fc00::]/7
inet_protocols = all
maximal_backoff_time = 1800s
delay_warning_time = 4h
milter_mail_macros = i {mail_addr} {client_addr} {client_name} {auth_authen}
postscreen_access_list = permit_mynetworks,
  cidr:/opt/postfix/conf/postscreen_access.cidr,
  tcp:127.0.0.1:10027
postscreen_blacklist_action = drop
postscreen_dnsbl_sites = wl.example.net=127.0.0.[18;19;20]*-2
  list.example.org=127.0.[0..255].[2..3]*-4
postscreen_dnsbl_ttl = 5m
postscreen_dnsbl_whitelist_threshold = -1
proxy_read_maps = proxy:mysql:/opt/postfix/conf/sql/a.cf,
  $sender_dependent_default_transport_maps,
  $virtual_alias_maps
smtpd_hard_error_limit = ${stress?1}${stress:5}
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtpd_recipient_restrictions = permit_sasl_authenticated,
  check_recipient_access proxy:mysql:/opt/postfix/conf/sql/tls.cf,
  check_sender_access inline:{{<> = REJECT}},
  reject_unauth_destination
smtpd_sasl_path = inet:dovecot:10001
smtpd_sasl_type = dovecot
smtp_tls_mandatory_protocols = !SSLv2, !SSLv3, !TLSv1, !TLSv1.1
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_exclude_ciphers = ECDHE-RSA-RC4-SHA, RC4, aNULL
tls_high_cipherlist = @SECLEVEL=0:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION
virtual_gid_maps = static:5000
virtual_transport = lmtp:inet:dovecot:24
virtual_mailbox_domains = /etc/postfix/vhost
virtual_alias_maps = texthash:/etc/postfix/virtual ${podop}alias
smtpd_milters = inet:rspamd:9900, { inet:host:8891, connect_timeout=10s, default_action=accept }
smtp_sasl_security_options =
smtp_header_checks = pcre:/opt/postfix/conf/anonymize_headers.pcre
podop = socketmap:unix:/tmp/podop.socket:
smtpd_sender_restrictions = $dms_smtpd_sender_restrictions
dms_smtpd_sender_restrictions = permit_sasl_authenticated, permit_mynetworks, reject_unknown_sender_domain
mua_sender_restrictions = reject_authenticated_sender_login_mismatch, $dms_smtpd_sender_restrictions
compatibility_level = 2

# user overrides
)";

const char* const container_master = R"(smtp       inet  n       -       n       -       1       postscreen
smtpd      pass  -       -       n       -       -       smtpd
  -o smtpd_helo_restrictions=permit_mynetworks,reject_non_fqdn_helo_hostname
588 inet n      -       n       -       -       smtpd
  -o smtpd_sender_restrictions=check_sasl_access,regexp:/opt/postfix/conf/local.regexp,$mua_sender_restrictions
smtp_enforced_tls      unix  -       -       n       -       -       smtp
  -o smtp_tls_security_level=encrypt
pickup     fifo  n       -       n       60      1       pickup
  -o content_filter=
tlsmgr     unix  -       -       n       1000?   1       tlsmgr
maildrop   unix  -       n       n       -       -       pipe flags=DRhu
    user=vmail argv=/usr/bin/maildrop -d ${recipient}

# start filter
127.0.0.1:10026 inet  n       -       n       -       10      smtpd
  -o content_filter=
  -o mynetworks=127.0.0.0/8
# end filter
127.0.0.1:10027 inet n n n - 0 spawn user=nobody argv=/usr/local/bin/hosts.sh
scalemail-backend unix	-	n	n	-	2	pipe
  flags=R user=scalemail argv=/usr/lib/scalemail/bin/scalemail-store ${nexthop} ${user} ${extension}
mailman   unix  -       n       n       -       -       pipe
  flags=FR user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py
  ${nexthop} ${user}
)";

} // namespace

TEST_CASE("a container's configuration is read")
{
    test::Folder folder;
    folder.write("main.cf", container_main);
    folder.write("master.cf", container_master);
    Config config = Config::load(folder.path);
    for (const auto& warning : config.warnings) {
        CAPTURE(warning);
        CHECK(warning.find("unused parameter") == warning.npos);
    }
    CHECK(config.mynetworks.size() == 6);
    CHECK(config.mynetworks[1] == "[::ffff:127.0.0.0]/104");
    CHECK(config.smtpd_hard_error_limit == 5);
    CHECK(config.smtpd_tls_security_level == "may");
    CHECK(config.find("smtpd_tls_session_cache_database") == "btree:/var/lib/rookpost/smtpd_scache");
    CHECK(config.smtpd_recipient_restrictions[4] == "inline:{{<> = REJECT}}");
    CHECK(config.list("smtpd_milters") ==
          Strings{"inet:rspamd:9900", "{ inet:host:8891, connect_timeout=10s, default_action=accept }"});
    CHECK(config.virtual_alias_maps ==
          Strings{"texthash:/etc/postfix/virtual", "socketmap:unix:/tmp/podop.socket:alias"});
    CHECK(config.smtpd_sender_restrictions ==
          Strings{"permit_sasl_authenticated", "permit_mynetworks", "reject_unknown_sender_domain"});
    CHECK(config.list("smtp_sasl_security_options").empty());
    CHECK(config.seconds("delay_warning_time") == 4h);
}

TEST_CASE("a container's services are read")
{
    auto table = config::MasterTable::parse(container_master, "master.cf");
    CHECK(table.services.size() == 11);
    CHECK(table.warnings.empty());
    CHECK(table.find("127.0.0.1:10026", config::Service::Type::inet)->maxproc == 10);
    CHECK(table.find("maildrop", config::Service::Type::unix_socket)->plain_arguments() ==
          Strings{"flags=DRhu", "user=vmail", "argv=/usr/bin/maildrop", "-d", "${recipient}"});
    CHECK(table.find("mailman", config::Service::Type::unix_socket)->plain_arguments().size() == 5);
    CHECK(table.find("pickup", config::Service::Type::fifo)->overrides ==
          std::vector<config::Override>{{"content_filter", ""}});
}

TEST_CASE("the main.cf that we install says nothing wrong")
{
    Config config = Config::load(SOURCE_DIR "/conf");
    for (const auto& warning : config.warnings) {
        CAPTURE(warning);
        CHECK(warning.find("unused parameter") == warning.npos);
    }
    CHECK(config.smtpd_tls_security_level == "may");
    CHECK(config.home_mailbox == "Maildir/");
}
