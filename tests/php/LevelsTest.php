<?php

use Jeenergie\Daemon\Callback;
use Jeenergie\Storage\DataFolder;

/** What a load is to be: run once for each wish, the newest one last, and not lost by whatever stops Jeedom. */
final class LevelsTest extends JeenergieTestCase
{
    private $load;
    private $id;
    private $sequence = 0;

    protected function setUp(): void
    {
        parent::setUp();
        $this->load = $this->equipment($this->connection());
        $this->id = (string) $this->load->getId();
        $this->choose('onAlarm', $this->command('open'));
        Memory::$events = Memory::$queries = Memory::$logs = [];
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        array_map('unlink', glob(DataFolder::path() . '/*'));
    }

    private function command(string $logicalId): string
    {
        return '#' . $this->cmd($this->load, $logicalId)->getId() . '#';
    }

    private function choose(string $setting, string $command): void
    {
        jeenergie::byId(1)->setConfiguration('config', [$setting => $command])->save();
    }

    private function level(int $number, array $more = []): array
    {
        return $more + ['event' => 'trigger', 'level' => true, 'equipment' => $this->id, 'name' => 'onAlarm',
            'number' => $number, 'at' => date('c')];
    }

    /** Sends events; gives the numbers that the acknowledgement lists. */
    private function send(array ...$events): array
    {
        $answer = (new Callback())->apply($events, date('c'));
        $this->assertArrayNotHasKey('rejected', $answer);
        return array_column($answer['triggered'] ?? [], 'number');
    }

    /** Lets the background tasks run that were started; what they were is forgotten. */
    private function background(): void
    {
        [$tasks, Memory::$async] = [Memory::$async, []];
        foreach ($tasks as [$method, $options]) {
            jeenergie::$method($options);
        }
    }

    private function executed(): int
    {
        return count(array_filter(Memory::$events, fn(array $each): bool => $each[0] === 'executed'));
    }

    private function breaking(string $why): void
    {
        Memory::$config['execute'] = function () use ($why): void {
            throw new Exception($why);
        };
    }

    public function testALevelRunsInTheBackgroundAndTheNextAcknowledgementTells(): void
    {
        $this->assertSame([], $this->send($this->level(7)));
        $this->assertSame(0, $this->executed());
        $this->background();
        $this->assertSame(1, $this->executed());
        $answer = (new Callback())->apply([], date('c'));
        $this->assertSame([['equipment' => $this->id, 'name' => 'onAlarm', 'number' => 7]], $answer['triggered']);
        $this->assertSame([], $this->send());
    }

    public function testItIsRunOnceHoweverOftenItIsAskedFor(): void
    {
        $this->send($this->level(7));
        $this->send($this->level(7));
        $this->background();
        $this->assertSame([7], $this->send($this->level(7)));
        // That acknowledgement was lost: it is asked for and told again.
        $this->assertSame([7], $this->send($this->level(7)));
        $this->background();
        $this->assertSame(1, $this->executed());
    }

    public function testWhatRanIsStillKnownWhenItsFilesAreLost(): void
    {
        $this->send($this->level(7));
        $this->background();
        array_map('unlink', glob(DataFolder::path() . '/*'));
        $this->assertSame([], $this->send());
        $this->assertSame([7], $this->send($this->level(7)));
        $this->assertSame(1, $this->executed());
    }

    public function testATaskThatWasLostWithARestartIsStartedAgain(): void
    {
        $this->send($this->level(7));
        $lost = Memory::$async;
        Memory::$async = [];
        $this->send($this->level(7));
        $this->assertSame($lost, Memory::$async);
        $this->background();
        $this->assertSame(1, $this->executed());
    }

    public function testATaskThatTheCoreStillHasIsStartedAndNotMadeASecondTime(): void
    {
        $task = ['equipment' => $this->id, 'number' => 7];
        Memory::$config['crons'][json_encode($task)] = new cron();
        $this->send($this->level(7));
        $this->assertSame([], Memory::$async);
        $this->assertSame([['cron::run', true]], Memory::$events);
    }

    public function testALateOffStillRunsAndALateOnDoesNot(): void
    {
        $this->send($this->level(7, ['expires' => date('c', time() - 1)]));
        $this->background();
        $this->assertSame(0, $this->executed());
        $this->send($this->level(7, ['expires' => date('c', time() + 15)]));
        $this->background();
        $this->assertSame(1, $this->executed());
        $this->send($this->level(8, ['at' => date('c', time() - 86400)]));
        $this->background();
        $this->assertSame(2, $this->executed());
    }

    public function testTheEndIsReadByTheClockOfTheDaemon(): void
    {
        $hour = 3600;
        $on = $this->level(7, ['expires' => date('c', time() - $hour + 15)]);
        (new Callback())->apply([$on], date('c', time() - $hour));
        $this->background();
        $this->assertSame(1, $this->executed());
    }

    public function testAnOldWishDoesNotFollowANewerOne(): void
    {
        $this->send($this->level(8));
        $this->background();
        $this->assertSame([8], $this->send($this->level(7)), 'the daemon is told what is newer');
        $this->background();
        $this->assertSame(1, $this->executed());
    }

    public function testOfTwoTasksOnlyTheNewestWishIsRun(): void
    {
        $this->choose('onAlarm', $this->command('open'));
        $this->send($this->level(7), $this->level(8));
        $this->assertCount(2, Memory::$async);
        $this->background();
        $this->assertSame(1, $this->executed());
        $this->assertSame([8], $this->send());
    }

    public function testAWishThatComesWhileAnotherIsBeingRunIsRunAfterIt(): void
    {
        $this->send($this->level(7));
        Memory::$config['execute'] = function (): void {
            unset(Memory::$config['execute']);
            $this->send($this->level(8));
            $this->background(); // a second process: the first one is still at work
            $this->assertSame(1, $this->executed());
        };
        $this->background();
        $this->assertSame(2, $this->executed());
        $this->assertSame([8], $this->send());
    }

    public function testALevelThatIsBeingRunIsNotRunASecondTime(): void
    {
        $this->send($this->level(7));
        Memory::$config['execute'] = function (): void {
            $this->assertSame([], $this->send($this->level(7)));
            $this->background();
        };
        $this->background();
        $this->assertSame(1, $this->executed());
    }

    public function testACommandThatHangsDoesNotHoldTheNextOneForEver(): void
    {
        $this->send($this->level(7));
        Memory::$config['execute'] = function (): void {
            unset(Memory::$config['execute']);
            Memory::$config['jeenergie::levels'][$this->id]['begun'] -= 200;
            $this->send($this->level(8));
            $this->background();
            $this->assertSame(2, $this->executed());
        };
        $this->background();
        // It ended after all, and later than the newer one: that is run once more.
        $this->assertSame(3, $this->executed());
        $this->assertSame([8], $this->send());
    }

    public function testAFailureIsToldOnceAndRepeatedUntilItRan(): void
    {
        $this->send($this->level(7));
        $this->breaking('no answer <b>');
        for ($n = 0; $n < 3; $n++) {
            $this->assertSame([], $this->send($this->level(7)));
            $this->background();
        }
        $id = 'jeenergie::level::' . $this->id;
        $this->assertStringContainsString('On alarm', Memory::$messages[$id]);
        $this->assertStringContainsString('no answer ‹b›', Memory::$messages[$id]);
        $this->assertCount(1, array_filter(Memory::$logs, fn(array $each): bool => $each[0] === 'error'));
        unset(Memory::$config['execute'], Memory::$messages['x']);
        $this->send($this->level(7));
        $this->background();
        $this->assertSame([7], $this->send());
        $this->assertArrayNotHasKey($id, Memory::$messages);
    }

    public function testACommandThatIsGoneIsToldInWords(): void
    {
        $this->choose('onAlarm', '#99#');
        $this->send($this->level(7));
        $this->background();
        $this->assertStringContainsString('existe plus', implode(Memory::$messages));
        $this->assertSame([], $this->send($this->level(7)));
        $this->choose('onAlarm', $this->command('open'));
        $this->background();
        $this->assertSame([7], $this->send());
    }

    public function testWhereNoCommandIsChosenNothingIsLeftToDo(): void
    {
        $this->choose('onAlarm', '');
        jeenergie::byId(1)->setConfiguration('config', [])->save();
        $this->send($this->level(7, ['name' => 'nothing']));
        $this->background();
        $this->assertSame([7], $this->send());
        $this->assertSame(0, $this->executed());
    }

    public function testAJeedomThatRunsNoTasksIsToldOnce(): void
    {
        for ($n = 0; $n < 10; $n++) {
            $this->send($this->level(7));
        }
        $this->assertStringContainsString('moteur de tâches', implode(Memory::$messages));
        $this->assertCount(1, array_filter(Memory::$logs, fn(array $each): bool => $each[0] === 'error'));
        $this->background();
        $this->assertSame([], Memory::$messages);
    }

    public function testACommandThatIsStillAtWorkIsNoSignOfTasksThatAreNotRun(): void
    {
        $this->send($this->level(7));
        Memory::$config['execute'] = function (): void {
            for ($n = 0; $n < 10; $n++) {
                $this->send($this->level(7));
            }
        };
        $this->background();
        $this->assertSame([], Memory::$messages);
        $this->assertSame(1, $this->executed());
    }

    public function testNothingIsRunForEquipmentThatIsDisabled(): void
    {
        $this->send($this->level(7));
        $this->load->setIsEnable(0)->save();
        $this->background();
        $this->assertSame(0, $this->executed());
        $this->assertSame(['ok' => true, 'log' => 'info', 'unknown' => [$this->id]], (new Callback())
            ->apply([$this->level(8)], date('c')));
        $this->load->setIsEnable(1)->save();
        $this->send($this->level(8));
        $this->background();
        $this->assertSame([8], $this->send());
    }

    public function testWhatIsKeptOfEquipmentThatIsGoneIsForgotten(): void
    {
        $this->send($this->level(7));
        $other = $this->equipment(jeenergie::byId(1), '2');
        $this->load->remove();
        $this->send($this->level(9, ['equipment' => (string) $other->getId()]));
        $this->assertSame([(int) $other->getId()], array_keys(Memory::$config['jeenergie::levels']));
    }

    /** @dataProvider wrong */
    public function testANumberThatIsNoneIsRefused(array $more): void
    {
        $answer = (new Callback())->apply([$more + $this->level(7)], date('c'));
        $this->assertSame('a level without a number', $answer['rejected'][0]['message']);
        $this->assertArrayNotHasKey('jeenergie::levels', Memory::$config);
    }

    public static function wrong(): array
    {
        return [[['number' => 0]], [['number' => '7']], [['number' => null]], [['number' => 1.5]]];
    }

    public function testACommandThatTakesAValueGetsIt(): void
    {
        $this->choose('mode', 'many');
        jeenergie::byId(1)->setConfiguration('config', ['mode' => 'many', 'onAlarm' => '#1#'])->save();
        $this->load->save();
        $this->choose('onAlarm', $this->command('level'));
        $this->send($this->level(7, ['value' => 1200]));
        $this->background();
        $this->send($this->level(8));
        $this->background();
        $options = array_column(array_column(array_filter(
            Memory::$events,
            fn(array $each): bool => $each[0] === 'executed'
        ), 1), 1);
        $this->assertSame([['select' => 1200], ['select' => 0]], $options);
    }
}
