<?php

use Jeenergie\Daemon\Daemon;
use Jeenergie\Storage\DataFolder;

final class InstallTest extends JeenergieTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->loadInstall();
    }

    /** @return array{mixed, mixed} minutes without news, and whether the daemon is then restarted */
    private function heartbeat(): array
    {
        return [config::byKey('heartbeat::delay::jeenergie'), config::byKey('heartbeat::restartDeamon::jeenergie')];
    }

    public function testActivationSetsTheHeartbeatToFifteenMinutes(): void
    {
        jeenergie_install();
        $this->assertSame([15, 1], $this->heartbeat());
    }

    public function testAHeartbeatThatTheUserHasChosenStays(): void
    {
        config::save('heartbeat::delay::jeenergie', 60);
        config::save('heartbeat::restartDeamon::jeenergie', 0);
        jeenergie_install();
        $this->assertSame([60, 0], $this->heartbeat());
    }

    public function testAnUpdateStartsTheDaemonAgain(): void
    {
        jeenergie_update();
        $this->assertContains(['startAfterUpdate', null], Memory::$async);
        Memory::$config['jeenergie::deamonAutoMode'] = 1;
        Memory::$config['deamon_start'] = static function (): void {
        };
        cache::set('deamonStartjeenergieinprogress', ['datetime' => time()]);
        jeenergie::startAfterUpdate();
        $this->assertContains(['deamon_start', []], Memory::$events);
        $this->assertSame('', cache::byKey('deamonStartjeenergieinprogress')->getValue());
    }

    public function testRemovalEndsADaemonThatNoFileTellsOf(): void
    {
        $this->startDaemon('echo', true);
        unlink(DataFolder::file('deamon.pid'));
        $this->assertTrue(Daemon::isRunning());
        jeenergie_remove();
        $this->assertFalse(Daemon::isRunning());
    }

    public function testRemovalLeavesNothingOfThePluginInTheCache(): void
    {
        foreach (['jeenergie::words::equipment::7', 'dependancyjeenergie', 'deamonStartjeenergieinprogress', 'other'] as $key) {
            cache::set($key, 1, 3600);
        }
        $connection = $this->connection();
        jeenergie_remove();
        $this->assertSame(1, cache::byKey('jeenergie::words::equipment::7')->getValue(), 'only deactivated');
        $connection->remove();
        jeenergie_remove();
        $left = array_map(fn(cache $each): string => $each->getKey(), cache::all());
        $this->assertSame(['other'], array_values(array_filter($left, fn($key) => strpos($key, 'jeenergie') !== false || $key === 'other')));
    }
}
