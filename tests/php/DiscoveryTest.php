<?php

use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\News;
use Jeenergie\Pages\PageActions;

final class DiscoveryTest extends JeenergieTestCase
{
    public function testAnotherModeTakesTheCommandsOverWithTheirIds(): void
    {
        $connection = $this->connection(['mode' => 'one']);
        $old = $this->equipment($connection, '9', 'lonely');
        $power = $this->cmd($old, 'power')->getId();
        $connection->setConfiguration('config', ['mode' => 'many'])->save();
        $this->assertNotNull(jeenergie::byId($old->getId()));
        Discovery::createAll($connection, [['type' => 'meter', 'key' => '9', 'name' => 'All']]);
        $all = array_values($connection->equipment());
        $this->assertCount(1, $all);
        $this->assertSame('meter', $all[0]->type());
        $this->assertSame($power, $this->cmd($all[0], 'power')->getId());
    }

    public function testEquipmentOfTheSameModeKeepsItsCommands(): void
    {
        $connection = $this->connection(['mode' => 'one']);
        $lonely = $this->equipment($connection, '9', 'lonely');
        Discovery::createAll($connection, [['type' => 'meter', 'key' => '9', 'name' => 'All']]);
        $this->assertCount(2, $connection->equipment());
        $this->assertContains('power', $this->logicalIds($lonely));
    }

    public function testTheDaemonHearsOfALongListWhileItIsCreated(): void
    {
        $this->startDaemon('echo', true);
        $connection = $this->connection();
        $asked = Jeenergie\Storage\DataFolder::path() . '/asked';
        @unlink($asked);
        $told = fn(): int => substr_count((string) @file_get_contents($asked), 'configure');
        $found = array_map(fn(int $n): array => ['type' => 'meter', 'key' => "$n", 'name' => "M $n"], range(1, 7));
        Discovery::createAll($connection, $found);
        $this->assertSame(2, $told()); // after the first and the sixth; the rest with the end of the request
        Jeenergie\Daemon\DesiredState::flush();
        $this->assertSame(3, $told());
    }

    public function testAnApostropheOfANameStays(): void
    {
        $equipment = Discovery::create($this->connection(), 'meter', '1', "Groupe d'onduleurs");
        $this->assertSame('Groupe d’onduleurs', $equipment->getName());
    }

    public function testOneDialogCreatesAndRemoves(): void
    {
        $connection = $this->connection();
        $unticked = $this->equipment($connection, '1');
        $kept = $this->equipment($connection, '2');
        $answer = PageActions::synchronise([
            'connection' => $connection->getId(),
            'equipment' => [
                ['type' => 'meter', 'key' => '2', 'name' => 'Known'],
                ['type' => 'meter', 'key' => '3', 'name' => 'New'],
            ],
            'remove' => [(int) $unticked->getId()],
        ]);
        $this->assertSame([(string) $unticked->getId()], $answer['removed']);
        $this->assertCount(1, $answer['created']);
        $this->assertNull(jeenergie::byId($unticked->getId()));
        $this->assertSame([], $unticked->getCmd());
        $names = array_map(fn(jeenergie $each): string => $each->getName(), $connection->equipment());
        $this->assertEqualsCanonicalizing([$kept->getName(), 'New'], $names);
    }

    public function testWhatOnlyDiscoveryCanTellIsBroughtUpToDate(): void
    {
        $connection = $this->connection();
        $this->equipment($connection, '2');
        $found = ['type' => 'meter', 'key' => '2', 'name' => 'Known', 'config' => ['kind' => 'water', 'model' => 'M2']];
        $request = ['connection' => $connection->getId(), 'equipment' => [$found]];
        $answer = PageActions::synchronise($request);
        $known = array_values($connection->equipment())[0];
        $this->assertSame([(string) $known->getId()], $answer['updated']);
        $this->assertSame([], $answer['created']);
        $this->assertSame('M2', $known->config()['model']);
        $this->assertSame('gas', $known->config()['kind'], 'the user\'s own choice');
        $this->assertSame([], PageActions::synchronise($request)['updated'], 'nothing is new the second time');
    }

    public function testADialogRemovesNothingOfOthers(): void
    {
        $connection = $this->connection();
        $other = $this->connection([], 'Elsewhere');
        $foreign = $this->equipment($other, '1');
        $remove = [$foreign->getId(), $connection->getId(), '999'];
        $answer = PageActions::synchronise(['connection' => $connection->getId(), 'remove' => $remove]);
        $this->assertSame(['created' => [], 'updated' => [], 'removed' => []], $answer);
        $this->assertNotNull(jeenergie::byId($foreign->getId()));
        $this->assertNotNull(jeenergie::byId($connection->getId()));
    }

    /** A connection of a system whose equipment is created by itself; Jeedom does not manage the daemon. */
    private function saved(): void
    {
        $catalogue = json_decode(file_get_contents(__DIR__ . '/catalogue.json'), true);
        $this->useCatalogue(['discover' => 'auto'] + $catalogue);
        Memory::$async = [];
        Discovery::scheduleWelcome($this->connection());
    }

    public function testADaemonThatJeedomDoesNotManageButRunsCreatesTheEquipment(): void
    {
        $this->startDaemon('discover', true);
        $this->saved();
        $this->assertContains(['welcome', ['connection' => '1']], Memory::$async);
        Discovery::welcome('1');
        $this->assertCount(1, jeenergie::byId(1)->equipment());
    }

    public function testWithoutADaemonItIsSaidThatNothingIsCreated(): void
    {
        $this->saved();
        $this->assertSame([], Memory::$async);
        $news = News::latest('equipment', '1');
        $this->assertSame('warning', $news['level']);
        $this->assertStringContainsString('démarrez-le, puis synchronisez « House »', $news['text']);
        $this->assertSame([], jeenergie::byId(1)->equipment());
    }
}
