<?php

/** What saving an account leads to: it is verified, and the daemon starts. */
final class AccountTest extends JeenergieTestCase
{
    private $daemon;

    protected function setUp(): void
    {
        parent::setUp();
        $catalogue = jeenergieCatalogue::of($this->lab());
        $catalogue['connection']['verify'] = true;
        $this->useCatalogue($catalogue);
    }

    protected function tearDown(): void
    {
        if ($this->daemon !== null) {
            proc_terminate($this->daemon);
            proc_close($this->daemon);
            unlink($this->pidFile());
        }
    }

    private function pidFile(): string
    {
        return jeedom::getTmpFolder('jeenergie') . '/deamon.pid';
    }

    /** A process that passes for the daemon and answers one message. */
    private function startDaemon(string $manner): void
    {
        $command = [PHP_BINARY, __DIR__ . '/double/daemon.php', $manner, 'jeenergied', $this->pidFile()];
        $this->daemon = proc_open($command, [1 => ['pipe', 'w']], $pipes);
        Memory::$config['jeenergie::socketport'] = (int) fgets($pipes[1]);
        file_put_contents($this->pidFile(), proc_get_status($this->daemon)['pid']);
    }

    public function testAnEnabledAccountThatTheServiceRefusesIsNotSaved(): void
    {
        $this->startDaemon('refuse');
        $this->expectException(jeenergieRefusal::class);
        $this->expectExceptionMessage('Non ‹b›.');
        $this->connection();
    }

    public function testADisabledAccountIsSavedUnverified(): void
    {
        $connection = $this->connection();
        $connection->setIsEnable(0)->save();
        $this->startDaemon('refuse');
        $connection->setConfiguration('config', ['host' => 'other'])->save();
        $this->assertSame('other', jeenergie::byId($connection->getId())->config()['host']);
    }

    public function testAServiceOutOfReachIsNoReasonToRefuse(): void
    {
        $this->startDaemon('garbage');
        $this->assertSame('h', $this->connection()->config()['host']);
    }

    public function testTheFirstConnectionStartsTheDaemon(): void
    {
        Memory::$config['jeenergie::deamonAutoMode'] = 1;
        Memory::$config['deamon_start'] = fn() => $this->startDaemon('echo');
        $connection = $this->connection();
        $this->assertContains(['welcome', ['connection' => (string) $connection->getId()]], Memory::$async);
        $this->assertFalse(jeenergieDaemon::isRunning());
        jeenergieDiscovery::welcome((string) $connection->getId());
        $this->assertTrue(jeenergieDaemon::isRunning());
    }

    public function testADaemonThatTheUserStartsHimselfIsLeftAlone(): void
    {
        Memory::$config['jeenergie::deamonAutoMode'] = 0;
        $this->connection();
        $this->assertNotContains('welcome', array_column(Memory::$async, 0));
    }
}
