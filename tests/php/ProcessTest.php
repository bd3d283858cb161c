<?php

use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Process;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Daemon\Socket;
use Jeenergie\Storage\DataFolder;

/** The daemon is found by what it is, not by what a file says; nobody else's process is taken for it. */
final class ProcessTest extends JeenergieTestCase
{
    private $processes = [];

    protected function tearDown(): void
    {
        parent::tearDown();
        foreach ($this->processes as $process) {
            proc_terminate($process, 9);
            proc_close($process);
        }
        @unlink(DataFolder::file('deamon.pid'));
    }

    /** A program that sleeps, with these arguments; as another user where a name is given. */
    private function program(array $arguments, string $user = ''): int
    {
        $command = array_merge([PHP_BINARY, '-r', 'echo getmypid(), "\n"; sleep(60);', '--'], $arguments);
        if ($user !== '') {
            $command = array_merge(['setpriv', '--reuid', $user, '--clear-groups'], $command);
        }
        $this->processes[] = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        return (int) fgets($pipes[1]);
    }

    private function daemon(string $user = '', ?string $folder = null): int
    {
        return $this->program(['-m', 'jeenergied', '--datadir', $folder ?? DataFolder::path()], $user);
    }

    private function writePid(int $pid): void
    {
        file_put_contents(DataFolder::file('deamon.pid'), $pid . "\n");
    }

    public function testADaemonIsFoundWithoutItsFile(): void
    {
        $this->assertFalse(Daemon::isRunning());
        $this->startDaemon('echo', true);
        $pid = Process::pid();
        unlink(DataFolder::file('deamon.pid'));
        $this->assertNotNull($pid);
        $this->assertSame($pid, Process::pid());
        $this->assertTrue(Daemon::isRunning());
        $this->assertSame('ok', Daemon::info()['state']);
    }

    public function testOneThatIsStartingIsNotAskedYetButEnded(): void
    {
        $pid = $this->daemon();
        $this->assertFalse(Daemon::isRunning());
        $this->assertSame([$pid], Process::all());
        Daemon::stop();
        $this->assertSame([], Process::all());
    }

    public function testTheNumberOfAnotherProgramIsNotTheDaemon(): void
    {
        $this->writePid($this->program(['something', 'else']));
        $this->assertNull(Process::pid());
    }

    public function testTheDaemonOfAnotherJeedomIsLeftAlone(): void
    {
        $other = $this->daemon('', '/elsewhere/data/daemon');
        $this->writePid($other);
        $this->assertSame([], Process::all());
        Daemon::stop();
        $this->assertTrue(posix_kill($other, 0));
    }

    public function testAProcessOfAnotherUserIsNotTheDaemonWhateverItSays(): void
    {
        if (posix_geteuid() !== 0) {
            $this->markTestSkipped('only root can start one');
        }
        $this->writePid($this->daemon('nobody'));
        $this->assertNull(Process::pid());
        $this->assertSame([], Process::all());
        $this->assertFalse(Daemon::isRunning());
    }

    public function testEveryDaemonIsEndedNotOnlyTheOneInTheFile(): void
    {
        $pids = [$this->daemon(), $this->daemon()];
        $this->writePid($pids[1]);
        sort($pids);
        $this->assertSame($pids, Process::all());
        Daemon::stop();
        $this->assertSame([], Process::all());
    }

    public function testAListenerOfAnotherUserIsToldApart(): void
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $port = (int) substr(strrchr(stream_socket_get_name($server, false), ':'), 1);
        $this->assertSame('ours', Process::listener($port));
        fclose($server);
        $this->assertSame('free', Process::listener($port));
    }

    public function testNothingIsSentToAProgramOfAnotherUser(): void
    {
        if (posix_geteuid() !== 0) {
            $this->markTestSkipped('only root can start one');
        }
        $script = '$s = stream_socket_server("tcp://127.0.0.1:0"); echo strrchr(stream_socket_get_name($s, false), ":"), "\n";'
            . '$p = stream_socket_accept($s, 10); echo strlen((string) stream_get_contents($p)), "\n";';
        $command = ['setpriv', '--reuid', 'nobody', '--clear-groups', PHP_BINARY, '-r', $script];
        $this->processes[] = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        Memory::$config['jeenergie::socketport'] = (int) substr(fgets($pipes[1]), 1);
        try {
            Socket::request('status');
            $this->fail('it was asked');
        } catch (Refusal $error) {
            $this->assertStringContainsString('autre utilisateur', $error->getMessage());
        }
        $this->assertSame("0\n", fgets($pipes[1]));
    }
}
