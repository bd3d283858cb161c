<?php

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
        @unlink(jeenergieFolder::file('deamon.pid'));
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
        return $this->program(['-m', 'jeenergied', '--datadir', $folder ?? jeenergieFolder::path()], $user);
    }

    private function writePid(int $pid): void
    {
        file_put_contents(jeenergieFolder::file('deamon.pid'), $pid . "\n");
    }

    public function testADaemonIsFoundWithoutItsFile(): void
    {
        $this->assertFalse(jeenergieDaemon::isRunning());
        $this->startDaemon('echo', true);
        $pid = jeenergieProcess::pid();
        unlink(jeenergieFolder::file('deamon.pid'));
        $this->assertNotNull($pid);
        $this->assertSame($pid, jeenergieProcess::pid());
        $this->assertTrue(jeenergieDaemon::isRunning());
        $this->assertSame('ok', jeenergieDaemon::info()['state']);
    }

    public function testOneThatIsStartingIsNotAskedYetButEnded(): void
    {
        $pid = $this->daemon();
        $this->assertFalse(jeenergieDaemon::isRunning());
        $this->assertSame([$pid], jeenergieProcess::all());
        jeenergieDaemon::stop();
        $this->assertSame([], jeenergieProcess::all());
    }

    public function testTheNumberOfAnotherProgramIsNotTheDaemon(): void
    {
        $this->writePid($this->program(['something', 'else']));
        $this->assertNull(jeenergieProcess::pid());
    }

    public function testTheDaemonOfAnotherJeedomIsLeftAlone(): void
    {
        $other = $this->daemon('', '/elsewhere/data/daemon');
        $this->writePid($other);
        $this->assertSame([], jeenergieProcess::all());
        jeenergieDaemon::stop();
        $this->assertTrue(posix_kill($other, 0));
    }

    public function testAProcessOfAnotherUserIsNotTheDaemonWhateverItSays(): void
    {
        if (posix_geteuid() !== 0) {
            $this->markTestSkipped('only root can start one');
        }
        $this->writePid($this->daemon('nobody'));
        $this->assertNull(jeenergieProcess::pid());
        $this->assertSame([], jeenergieProcess::all());
        $this->assertFalse(jeenergieDaemon::isRunning());
    }

    public function testEveryDaemonIsEndedNotOnlyTheOneInTheFile(): void
    {
        $pids = [$this->daemon(), $this->daemon()];
        $this->writePid($pids[1]);
        sort($pids);
        $this->assertSame($pids, jeenergieProcess::all());
        jeenergieDaemon::stop();
        $this->assertSame([], jeenergieProcess::all());
    }

    public function testAListenerOfAnotherUserIsToldApart(): void
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $port = (int) substr(strrchr(stream_socket_get_name($server, false), ':'), 1);
        $this->assertSame('ours', jeenergieProcess::listener($port));
        fclose($server);
        $this->assertSame('free', jeenergieProcess::listener($port));
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
            jeenergieSocket::request('status');
            $this->fail('it was asked');
        } catch (jeenergieRefusal $error) {
            $this->assertStringContainsString('autre utilisateur', $error->getMessage());
        }
        $this->assertSame("0\n", fgets($pipes[1]));
    }
}
