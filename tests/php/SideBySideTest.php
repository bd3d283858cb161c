<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\Callback;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\News;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Lock;
use Jeenergie\Storage\Notes;

/** What the user saves while values arrive or something runs in the background is not undone, and nothing else is lost. */
final class SideBySideTest extends JeenergieTestCase
{
    private $meter;

    protected function setUp(): void
    {
        parent::setUp();
        $this->meter = $this->equipment($this->connection());
    }

    /** Between the reading of the callback and its first command, the user saves the page. */
    private function seenWhileTheUserSaves(array $logicalIds, callable $save): void
    {
        $read = jeenergie::byId($this->meter->getId());
        $save(jeenergie::byId($this->meter->getId()));
        Commands::seen($read, $logicalIds);
    }

    public function testWhatTheUserSavesWhileCommandsAreCreatedStays(): void
    {
        $this->seenWhileTheUserSaves(['index1'], static function (jeenergie $page): void {
            $page->setName('Mine')->setConfiguration('config', ['kind' => 'water'])->save();
        });
        $meter = jeenergie::byId($this->meter->getId());
        $this->assertSame(['Mine', 'water'], [$meter->getName(), $meter->config()['kind']]);
        $this->assertContains('index1', $this->logicalIds($meter));
    }

    public function testACommandThatWasCreatedMeanwhileIsKnownAfterTheUsersSave(): void
    {
        $page = jeenergie::byId($this->meter->getId());
        Commands::seen(jeenergie::byId($this->meter->getId()), ['index1']);
        $page->setName('Mine')->save();
        $meter = jeenergie::byId($this->meter->getId());
        $this->cmd($meter, 'index1')->remove();
        $this->assertSame([], Commands::seen($meter, ['index1']), 'deleted by the user, it stays deleted');
    }

    public function testTwoRequestsDoNotCreateTheSameCommand(): void
    {
        $both = [jeenergie::byId($this->meter->getId()), jeenergie::byId($this->meter->getId())];
        Commands::seen($both[0], ['index1']);
        Commands::seen($both[1], ['index1', 'index2']);
        $this->assertSame(
            ['index1', 'index2', 'open', 'power', 'refresh', 'valve'],
            $this->logicalIds(jeenergie::byId($this->meter->getId()))
        );
    }

    public function testACommandIsPutRightWithoutWritingWhatTheUserSetMeanwhile(): void
    {
        // An update of the plugin: the catalogue has another unit and another limit, and the info is a new one.
        $this->cmd($this->meter, 'valve')->remove();
        $catalogue = Catalogue::of($this->lab());
        $catalogue['sets']['power'][0] = ['unit' => 'VA', 'max' => 7000] + $catalogue['sets']['power'][0];
        $this->useCatalogue($catalogue);
        Memory::$meanwhile['update'] = function (): void {
            $this->cmd($this->meter, 'power')->setName('Mine')->setIsVisible(0)->save();
            $this->cmd($this->meter, 'open')->setName('Ouvrir')->save();
        };
        Commands::apply($this->meter);
        $power = $this->cmd($this->meter, 'power');
        $this->assertSame(['VA', '7000'], [$power->getUnite(), (string) $power->getConfiguration('maxValue')]);
        $this->assertSame(['Mine', 0], [$power->getName(), $power->getIsVisible()]);
        Commands::createMissing($this->meter, ['valve']);
        $open = $this->cmd($this->meter, 'open');
        $this->assertSame('Ouvrir', $open->getName());
        $this->assertSame($this->cmd($this->meter, 'valve')->getId(), $open->getValue());
    }

    public function testAChargedBatteryWritesItsMomentOnly(): void
    {
        $power = $this->cmd($this->meter, 'power');
        $power->setGeneric_type('BATTERY')->setUnite('%')->save();
        $callback = new Callback();
        $read = new ReflectionMethod($callback, 'load');
        $read->setAccessible(true);
        $event = ['event' => 'values', 'equipment' => (string) $this->meter->getId(), 'at' => date('c'), 'values' => ['power' => 95]];
        $read->invoke($callback, [$event]);
        jeenergie::byId($this->meter->getId())->setName('Mine')->save();
        $values = new ReflectionMethod($callback, 'values');
        $values->setAccessible(true);
        $values->invoke($callback, $event);
        $meter = jeenergie::byId($this->meter->getId());
        $this->assertSame('Mine', $meter->getName());
        $this->assertNotSame('', $meter->getConfiguration('batterytime'));
    }

    public function testTheFirstSearchDoesNotWriteTheRowAndIsTheOnlyOne(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['discover'] = 'auto';
        $this->useCatalogue($catalogue);
        $this->startDaemon('discover', true);
        Memory::$config['jeenergie::deamonAutoMode'] = 1;
        $row = Memory::$eqLogics[1];
        Discovery::welcome('1');
        $this->assertSame([['jeenergie::equipment', ['connection' => '1', 'created' => 1]]], Memory::$events);
        $this->assertSame('success', News::latest('equipment', '1')['level']);
        $this->assertCount(2, jeenergie::byId(1)->equipment());
        $this->assertSame($row, Memory::$eqLogics[1]);
        Memory::$async = [];
        Discovery::scheduleWelcome(jeenergie::byId(1));
        $this->assertSame([], Memory::$async);
    }

    public function testTheFirstSearchWaitsForABusyJeedomSinceNobodyTriesItAgain(): void
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['discover'] = 'auto';
        $this->useCatalogue($catalogue);
        $this->startDaemon('discover', true);
        Memory::$config['jeenergie::deamonAutoMode'] = 1;
        $this->setStatic(Lock::class, 'maxWaitS', 0.3);
        fclose(DataFolder::lock('equipment.lock', 1));
        $busy = popen('flock ' . escapeshellarg(DataFolder::file('equipment.lock')) . ' sh -c "echo held; sleep 2"', 'r');
        $this->assertSame("held\n", fgets($busy));
        jeenergie::welcome(['connection' => '1']);
        pclose($busy);
        $this->setStatic(Lock::class, 'patience', 1);
        $this->setStatic(Lock::class, 'maxWaitS', 20.0);
        $this->assertCount(2, jeenergie::byId(1)->equipment());
    }

    public function testWhatEarlierVersionsKeptInTheRowStillCounts(): void
    {
        $meter = jeenergie::byId($this->meter->getId());
        Notes::remove((string) $meter->getId());
        $this->cmd($meter, 'power')->remove();
        $meter->setConfiguration('commandsKnown', ['power', 'index1', 'refresh', 'valve', 'open'])->save(true);
        $meter = jeenergie::byId($meter->getId());
        $this->assertSame([], Commands::seen($meter, ['index1']));
        $meter->save();
        $meter = jeenergie::byId($meter->getId());
        $this->assertSame('', $meter->getConfiguration('commandsKnown'));
        $this->assertNotContains('power', $this->logicalIds($meter));
        $this->assertSame([], Commands::seen($meter, ['index1']));
        $this->assertSame(['power', 'index1'], Commands::createMissing($meter));
    }

    public function testNothingIsRememberedOfWhatIsGone(): void
    {
        $this->meter->remove();
        jeenergie::byId(1)->remove();
        $this->assertSame([], preg_grep('/commandsKnown|discovered/', array_keys(Memory::$config)));
    }

    public function testACopyIsSwitchedOffAndRemembersNothing(): void
    {
        $copy = clone jeenergie::byId(1);
        $copy->setId('')->setName('Copy');
        $copy->save();
        $this->assertEquals(0, jeenergie::byId($copy->getId())->getIsEnable());
    }

    /** Three processes at once, each with fifty removals and fifty notes. */
    public function testOfSeveralRemovalsAtOnceNoneIsLost(): void
    {
        $folder = jeedom::getTmpFolder();
        $file = $folder . '/config.json';
        @unlink($file);
        $environment = ['JEENERGIE_TEST_CONFIG' => $file] + getenv();
        $processes = array_map(static fn(int $first) => proc_open(
            [PHP_BINARY, __DIR__ . '/double/forgetter.php', (string) $first, $folder],
            [],
            $pipes,
            null,
            $environment
        ), [100, 200, 300]);
        foreach ($processes as $process) {
            $this->assertSame(0, proc_close($process));
        }
        $config = json_decode(file_get_contents($file), true);
        $this->assertCount(150, $config['jeenergie::toForget']);
        $this->assertCount(150, $config['jeenergie::commandsKnown::7']);
    }

    public function testAConnectionRemovedWhileTheDaemonForgetsAnotherIsForgottenToo(): void
    {
        $this->startDaemon('echo');
        Memory::$config['jeenergie::toForget'] = ['41'];
        Memory::$meanwhile['request'] = static fn() => DesiredState::forget('42');
        DesiredState::send();
        $this->assertSame(['42'], Memory::$config['jeenergie::toForget']);
    }
}
