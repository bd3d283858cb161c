<?php

use Jeenergie\Daemon\DesiredState;
use Jeenergie\Energy\Readings;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Storage\DataFolder;

/** Values of other plugins' commands, on their way to the daemon: the newest of each, one message a second, no waiting. */
final class ReadingsTest extends JeenergieTestCase
{
    private $house;
    private $other;

    protected function setUp(): void
    {
        parent::setUp();
        $this->forgetCatalogues();
        touch($this->file('messages'));
        $this->house = new jeenergie();
        $this->house->setName('Maison')->setIsEnable(1)->setConfiguration('kind', 'connection');
        $this->house->setConfiguration('backend', 'house')->save();
        $this->other = new jeenergie();
        $this->other->setName('Autre')->setIsEnable(0)->setConfiguration('kind', 'connection');
        $this->other->setConfiguration('backend', 'wes')->save();
        Memory::$logs = Memory::$async = [];
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        array_map('unlink', glob(DataFolder::path() . '/*'));
    }

    private function file(string $name): string
    {
        return DataFolder::path() . '/' . $name;
    }

    /** A command of another plugin. */
    private function command(string $type = 'info', ?jeenergie $of = null): cmd
    {
        $cmd = new jeenergieCmd();
        $cmd->setName('Command ' . count(Memory::$cmds))->setType($type)->setEqLogic_id(($of ?? $this->other)->getId());
        $cmd->save();
        return $cmd;
    }

    private function source(cmd $cmd, string $key = 'a'): jeenergie
    {
        $source = Discovery::create($this->house, 'source', $key, 'Compteur ' . $key);
        $source->setConfiguration('config', ['quantity' => 'grid.power', 'command' => '#' . $cmd->getId() . '#']);
        $source->save();
        return jeenergie::byId($source->getId());
    }

    /** @return string[] what the core's listener names */
    private function events(): array
    {
        $events = [];
        foreach (listener::byClass('jeenergie') as $listener) {
            $this->assertSame('onReading', $listener->getFunction());
            array_push($events, ...$listener->getEvent());
        }
        sort($events);
        return $events;
    }

    /** As the core's listener::execute() does. */
    private function event(cmd $cmd, $value, int $secondsAgo = 0): void
    {
        $date = date('Y-m-d H:i:s', time() - $secondsAgo);
        jeenergie::onReading(['event_id' => (string) $cmd->getId(), 'value' => $value, 'datetime' => $date, 'object' => $cmd]);
    }

    /** @return array[] the values of each message that has arrived, by source */
    private function messages(): array
    {
        $found = [];
        foreach (file($this->file('messages')) as $line) {
            $message = json_decode($line, true);
            if ($message['cmd'] === 'readings') {
                $found[] = array_column($message['values'], 'value', 'source');
            }
        }
        return $found;
    }

    private function change(array $state): void
    {
        $known = json_decode(file_get_contents($this->file('readings.json')), true);
        file_put_contents($this->file('readings.json'), json_encode($state + $known));
    }

    public function testASourceHasTheNameOfTheCommandThatItListensTo(): void
    {
        $cmd = $this->command();
        $source = $this->source($cmd);
        $this->assertSame($cmd->getHumanName(), Readings::nameOf($source));
        $this->assertNotSame('', $cmd->getHumanName());
        $this->assertSame('', Readings::nameOf($this->other));
    }

    public function testTheChosenCommandIsListenedToAsLongAsItsEquipmentIsEnabled(): void
    {
        $first = $this->command();
        $second = $this->command();
        $source = $this->source($first);
        $this->source($second, 'b');
        $names = ['#' . $first->getId() . '#', '#' . $second->getId() . '#'];
        $this->assertSame($names, $this->events());
        $this->assertSame(['background' => false], listener::byClass('jeenergie')[0]->getOption());
        $source->setIsEnable(0);
        $source->save();
        $this->assertSame([$names[1]], $this->events());
        jeenergie::byId($source->getId())->setIsEnable(1)->save();
        $this->assertSame($names, $this->events());
        foreach (jeenergie::byId($this->house->getId())->equipment() as $each) {
            $each->remove();
        }
        $this->assertSame([], $this->events());
    }

    public function testAHundredCommandsAreListenedTo(): void
    {
        for ($n = 0; $n < 100; $n++) {
            $this->source($this->command(), 'n' . $n);
        }
        $this->assertCount(100, $this->events());
    }

    public function testOnlyAnInfoCommandThatExistsIsListenedTo(): void
    {
        $this->source($this->command('action'));
        $gone = $this->command();
        $gone->remove();
        $this->source($gone, 'b');
        $this->assertSame([], $this->events());
    }

    public function testTheFirstValueLeavesAtOnceAndTheNewestOfEachAfterASecond(): void
    {
        [$one, $two] = [$this->command(), $this->command()];
        $this->startDaemon('echo', true);
        $this->event($one, 100);
        foreach ([110, 120, 130] as $value) {
            $this->event($one, $value);
            $this->event($two, -$value);
        }
        $this->assertSame([[$one->getId() => 100]], $this->messages());
        $this->assertSame(['carryReadings'], array_column(Memory::$async, 0));
        usleep(1050000);
        $this->event($one, 140);
        $expected = [$one->getId() => 140, $two->getId() => -130];
        $this->assertEquals($expected, $this->messages()[1]);
        $this->assertCount(2, $this->messages());
    }

    public function testTheBackgroundTaskSendsWhatNoFurtherEventTakesAlong(): void
    {
        $cmd = $this->command();
        $this->startDaemon('echo', true);
        $this->event($cmd, 100);
        $this->event($cmd, 110);
        $begin = microtime(true);
        $this->change(['sent' => $begin - 0.5]);
        jeenergie::carryReadings();
        $this->assertSame([[$cmd->getId() => 100], [$cmd->getId() => 110]], $this->messages());
        $this->assertGreaterThan(9, microtime(true) - $begin);
        $this->assertLessThan(60, microtime(true) - $begin);
        $this->assertSame(0, json_decode(file_get_contents($this->file('readings.json')), true)['courier']);
    }

    public function testAnEventDoesNotWaitForADaemonThatIsSilent(): void
    {
        $cmd = $this->command();
        $this->startDaemon('silence', true);
        $this->event($cmd, 100);
        $waits = [];
        for ($count = 1; $count < 6; $count++) {
            $begin = microtime(true);
            $this->event($cmd, 100 + $count);
            $waits[] = microtime(true) - $begin;
        }
        // Each that asked would have waited half a second; a busy machine may hold some of them up, not all.
        $this->assertLessThan(0.4, min($waits));
        $this->assertCount(1, array_filter(Memory::$logs, fn(array $log): bool => $log[0] === 'warning'));
        $this->assertSame([], Memory::$async);
    }

    public function testWhatWasInVainIsSentWhenTheDaemonAnswersAgain(): void
    {
        [$one, $two] = [$this->command(), $this->command()];
        $this->startDaemon('silence', true);
        $this->event($one, 100);
        $this->tearDownDaemon();
        file_put_contents($this->file('messages'), '');
        $this->startDaemon('echo', true);
        $this->change(['failed' => microtime(true) - 31, 'sent' => 0]);
        $this->event($two, 200);
        $this->assertEquals([[$one->getId() => 100, $two->getId() => 200]], $this->messages());
    }

    public function testWithoutADaemonAndWithoutANumberNothingIsKept(): void
    {
        $cmd = $this->command();
        $this->event($cmd, 100);
        $this->assertFileDoesNotExist($this->file('readings.json'));
        $this->startDaemon('echo', true);
        foreach (['', null, 'open', '1e999'] as $value) {
            $this->event($cmd, $value);
        }
        $this->assertFileDoesNotExist($this->file('readings.json'));
    }

    public function testCurrentValuesFollowTheStateWithTheirAge(): void
    {
        [$cmd, $empty] = [$this->command(), $this->command()];
        $this->source($cmd);
        $this->source($empty, 'b');
        $then = time() - 120;
        $cmd->event(321, date('Y-m-d H:i:s', $then));
        $this->startDaemon('echo', true);
        DesiredState::send();
        $this->assertSame([[$cmd->getId() => 321]], $this->messages());
        $last = json_decode(array_slice(file($this->file('messages')), -1)[0], true);
        $this->assertEqualsWithDelta($then, strtotime($last['values'][0]['at']), 2);
        Readings::everyMinute();
        $this->assertCount(2, $this->messages());
    }

    public function testAnAgeIsRightInTheHourThatClocksRepeat(): void
    {
        $method = new ReflectionMethod(Readings::class, 'reading');
        $method->setAccessible(true);
        foreach ([0, 1] as $hour) { // 02:30 in summer, and again in winter
            $now = gmmktime($hour, 30, 0, 10, 25, 2026);
            $this->assertSame('2026-10-25 02:29:00', date('Y-m-d H:i:s', $now - 60));
            $at = $method->invoke(null, '1', 5, '2026-10-25 02:29:00', $now + 0.5)['at'];
            $this->assertEqualsWithDelta($now - 60, strtotime($at), 1);
        }
    }

    private function tearDownDaemon(): void
    {
        JeenergieTestCase::tearDown();
    }

    public function testWhatTheHouseComputesIsNoSourceOfIt(): void
    {
        $own = $this->command('info', $this->house);
        $this->expectExceptionMessage('choisissez la commande d\'un compteur');
        $this->source($own);
    }
}
