#!/usr/bin/perl
# Sends BYTES from the process of RANK 0 to that of RANK 1, which prints how many seconds they took. Usage: transfer.pl BYTES
# RANK, MASTER_ADDR and MASTER_PORT are set by cluster_each. Perl without modules to install is on every Debian.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my ($bytes) = @ARGV;
my ($address, $port) = @ENV{qw(MASTER_ADDR MASTER_PORT)};
if ($ENV{RANK} == 0) {
    my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 1, ReuseAddr => 1)
        or die "transfer.pl: can't listen on $address:$port: $!\n";
    my $peer = $listener->accept or die "transfer.pl: nobody came: $!\n";
    print $peer "x" x $bytes;
    close $peer;
} else {
    my $peer;
    for (1 .. 100) {
        $peer = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port) and last;
        sleep 0.05;
    }
    die "transfer.pl: $address:$port doesn't answer: $!\n" unless $peer;
    my ($start, $received) = (time, 0);
    while (my $n = sysread $peer, my $part, 1 << 16) { $received += $n }
    die "transfer.pl: $received of $bytes bytes came\n" unless $received == $bytes;
    printf "%.3f\n", time - $start;
}
