<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Daemon;
use Jeenergie\Daemon\Refusal;
use Jeenergie\Equipment\Discovery;

/** What saving an account leads to: it is verified, and the daemon starts. */
final class AccountTest extends JeenergieTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $catalogue = Catalogue::of($this->lab());
        $catalogue['connection']['verify'] = true;
        $this->useCatalogue($catalogue);
    }

    public function testAnEnabledAccountThatTheServiceRefusesIsNotSaved(): void
    {
        $this->startDaemon('refuse', true);
        $this->expectException(Refusal::class);
        $this->expectExceptionMessage('Non ‹b›.');
        $this->connection();
    }

    public function testADisabledAccountIsSavedUnverified(): void
    {
        $connection = $this->connection();
        $connection->setIsEnable(0)->save();
        $this->startDaemon('refuse', true);
        $connection->setConfiguration('config', ['port' => 81])->save();
        $this->assertSame(81, jeenergie::byId($connection->getId())->config()['port']);
    }

    public function testAServiceOutOfReachIsNoReasonToRefuse(): void
    {
        $this->startDaemon('garbage', true);
        $this->assertSame('h', $this->connection()->config()['host']);
    }

    public function testTheFirstConnectionStartsTheDaemon(): void
    {
        Memory::$config['jeenergie::deamonAutoMode'] = 1;
        Memory::$config['deamon_start'] = fn() => $this->startDaemon('echo', true);
        $connection = $this->connection();
        $this->assertContains(['welcome', ['connection' => (string) $connection->getId()]], Memory::$async);
        $this->assertFalse(Daemon::isRunning());
        Discovery::welcome((string) $connection->getId());
        $this->assertTrue(Daemon::isRunning());
    }

    public function testADaemonThatTheUserStartsHimselfIsLeftAlone(): void
    {
        Memory::$config['jeenergie::deamonAutoMode'] = 0;
        $this->connection();
        $this->assertNotContains('welcome', array_column(Memory::$async, 0));
    }
}
