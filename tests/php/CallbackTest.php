<?php

use Jeenergie\Daemon\Callback;
use Jeenergie\Equipment\State;
use Jeenergie\Pages\PageActions;
use Jeenergie\Pages\Progress;
use Jeenergie\Storage\DataFolder;
use Jeenergie\Storage\Moment;

final class CallbackTest extends JeenergieTestCase
{
    private $meter;

    protected function setUp(): void
    {
        parent::setUp();
        $this->meter = $this->equipment($this->connection());
        jeenergie::byId(1)->setStatus(['lastCommunication' => '2026-01-01 00:00:00', 'timeout' => 0]); // not its first data
        Memory::$events = Memory::$queries = [];
        Memory::$now = time();
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        @unlink(DataFolder::file('callback.json'));
    }

    private function apply(array ...$events): array
    {
        return (new Callback())->apply($events);
    }

    private function values(array $values, int $age = 0): array
    {
        $id = (string) $this->meter->getId();
        return ['event' => 'values', 'equipment' => $id, 'at' => date('c', Memory::$now - $age), 'values' => $values];
    }

    private function answer(string $text): array
    {
        ob_start();
        Callback::answer($text);
        return json_decode(ob_get_clean(), true);
    }

    public function testAllEquipmentAndCommandsAreReadInTwoQueries(): void
    {
        $other = $this->equipment(jeenergie::byId(1), '2');
        Memory::$queries = [];
        $second = ['equipment' => (string) $other->getId()] + $this->values(['power' => 2]);
        $this->assertSame(['ok' => true, 'log' => 'info'], $this->apply($this->values(['power' => 1]), $second));
        $this->assertCount(2, Memory::$queries);
    }

    public function testAFreshValueHasNoDateOfItsOwn(): void
    {
        $this->apply($this->values(['power' => 12], 30));
        $this->assertSame([['cmd::event', ['power', 12, false]]], Memory::$events);
        $this->assertSame(date('Y-m-d H:i:s', Memory::$now), $this->meter->getStatus('lastCommunication'));
    }

    public function testAnOldValueKeepsItsDateUnlessANewerOneIsThere(): void
    {
        $this->cmd($this->meter, 'valve')->setCache('collectDate', date('Y-m-d H:i:s', Memory::$now - 10));
        $this->cmd($this->meter, 'valve')->setCache('value', 0);
        $this->apply($this->values(['power' => 12, 'valve' => 1], 300));
        $this->assertSame([['cmd::event', ['power', 12, date('Y-m-d H:i:s', Memory::$now - 300)]]], Memory::$events);
    }

    public function testTheAgeOfAValueIsReadFromTheDaemonsOwnClock(): void
    {
        (new Callback())->apply([$this->values(['power' => 12], -7200)], date('c', Memory::$now + 7500));
        $this->assertSame([['cmd::event', ['power', 12, date('Y-m-d H:i:s', Memory::$now - 300)]]], Memory::$events);
        Memory::$events = [];
        (new Callback())->apply([$this->values(['power' => 13], 7200)], date('c', Memory::$now - 7195));
        $this->assertSame([['cmd::event', ['power', 13, false]]], Memory::$events);
    }

    public function testAMessageCannotBringCodeAlong(): void
    {
        $text = 'a <a href="#" onmouseover="x()">b</a> &lt;i onclick=1&gt; &amp;lt;a R&D ?x=1&y=2';
        $this->apply(['event' => 'message', 'level' => 'warning', 'text' => $text]);
        $message = end(Memory::$messages);
        $this->assertSame('a ‹a href="#" onmouseover="x()"›b‹/a› & lt;i onclick=1& gt; & amp;lt;a R&D ?x=1&y=2', $message);
        $this->assertStringNotContainsString('<', html_entity_decode($message));
        $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'error', 'message' => '<a onclick=1>']);
        $this->assertStringNotContainsString('<', implode(Memory::$messages));
    }

    public function testOneBadEventDoesNotHarmTheOthers(): void
    {
        $bad = ['at' => 'no moment'] + $this->values(['power' => 3]);
        $answer = $this->apply($bad, ['event' => 'values'], $this->values(['power' => 4]));
        $this->assertSame([0, 1], array_column($answer['rejected'], 'event'));
        $this->assertSame('4', (string) $this->cmd($this->meter, 'power')->execCmd());
    }

    public function testWhatIsDeletedWhileItsValuesAreAppliedIsUnknownAndNoMistake(): void
    {
        $id = (string) $this->meter->getId();
        Memory::$meanwhile['value'] = function () use ($id): void {
            unset(Memory::$eqLogics[$id]);
            Memory::$cmds = array_filter(Memory::$cmds, fn($cmd) => (string) $cmd->getEqLogic_id() !== $id);
        };
        $answer = $this->apply($this->values(['power' => 3]), $this->values(['power' => 4]));
        $this->assertSame(['ok' => true, 'log' => 'info', 'unknown' => [$id]], $answer);
    }

    public function testACommandThatIsDeletedWhileItsValueIsAppliedIsUnknownAndNoMistake(): void
    {
        $id = (string) $this->meter->getId();
        Memory::$meanwhile['value'] = function (): void {
            unset(Memory::$cmds[$this->cmd($this->meter, 'power')->getId()]);
        };
        $answer = $this->apply($this->values(['power' => 3]));
        $this->assertSame(['ok' => true, 'log' => 'info', 'unknownCommands' => [$id => ['power']]], $answer);
    }

    public function testADatabaseThatGoesInTheMiddleLosesNoEvent(): void
    {
        Memory::$meanwhile['value'] = function (): void {
            Memory::$databaseGone = true;
            throw new Exception('MySQL server has gone away');
        };
        try {
            $this->apply($this->values(['power' => 3]), $this->values(['power' => 4]));
            $this->fail('an acknowledgement would tell the daemon to forget them');
        } catch (Exception $error) {
            $this->assertStringContainsString('gone away', $error->getMessage());
        }
        Memory::$databaseGone = false;
        $this->assertArrayNotHasKey('rejected', $this->apply($this->values(['power' => 3]), $this->values(['power' => 4])));
        $this->assertSame('4', (string) $this->cmd($this->meter, 'power')->execCmd());
    }

    public function testANumberTooLargeForOneIsRejected(): void
    {
        $id = (string) $this->meter->getId();
        $point = ['event' => 'history', 'equipment' => $id, 'command' => 'power', 'points' => [[date('c', Memory::$now - 99), 1e9]]];
        $text = str_replace('1000000000.0', '1e999', json_encode([$this->values(['power' => 1e9]), $point], JSON_PRESERVE_ZERO_FRACTION));
        $answer = $this->answer('{"boot":"big","sequence":1,"events":' . $text . '}');
        $this->assertSame(['not a finite number', 'not a finite number'], array_column($answer['rejected'], 'message'));
        $this->assertSame('', $this->cmd($this->meter, 'power')->execCmd());
    }

    public function testWhatIsNoPayloadIsRefused(): void
    {
        foreach (['', '<html>', '[1', '7', '{"boot":"b"}', str_repeat('[', 600)] as $text) {
            $this->assertFalse($this->answer($text)['ok'], $text);
        }
    }

    public function testWhatIsUnknownOrDisabledIsNamed(): void
    {
        $stranger = ['equipment' => '77'] + $this->values(['power' => 3]);
        $answer = $this->apply($stranger, $this->values(['nope' => 1, 'open' => 1, 'power' => 5]));
        $this->assertSame(['77'], $answer['unknown']);
        $this->assertSame(['nope', 'open'], $answer['unknownCommands'][$this->meter->getId()]);
        $this->meter->setIsEnable(0)->save();
        $this->assertSame([(string) $this->meter->getId()], $this->apply($this->values(['power' => 6]))['unknown']);
    }

    public function testARepeatIsNotAppliedAgain(): void
    {
        $payload = ['boot' => 'b', 'sequence' => 7, 'events' => [$this->values(['power' => 1])]];
        $first = $this->answer(json_encode($payload));
        $payload['events'] = [$this->values(['power' => 2])];
        $this->assertSame($first, $this->answer(json_encode($payload)));
        $this->assertSame(1, $this->cmd($this->meter, 'power')->execCmd());
        $payload['sequence'] = 8;
        $this->answer(json_encode($payload));
        $this->assertSame(2, $this->cmd($this->meter, 'power')->execCmd());
    }

    public function testAStateIsToldToThePagesOnceAndToTheUserWhenHeMustAct(): void
    {
        $refused = ['event' => 'connection', 'connection' => '1', 'state' => 'authentication_failed', 'message' => 'No.'];
        $this->apply($refused);
        $this->apply($refused);
        $this->assertSame(['House : No.'], array_values(Memory::$messages));
        $this->assertCount(1, array_filter(Memory::$events, fn(array $each): bool => $each[0] === 'jeenergie::state'));
        $this->assertSame('Identifiants refusés', $this->cmd(jeenergie::byId(1), 'state')->execCmd());
        $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'online']);
        $this->assertSame([], Memory::$messages);
    }

    public function testAStateThatComesFromAnotherConnectionIsNoMessageOfItsOwn(): void
    {
        $state = ['event' => 'connection', 'connection' => '1', 'state' => 'no_data', 'message' => 'Silent.'];
        $this->apply(['code' => 'unreachable'] + $state);
        $this->assertSame([], Memory::$messages);
        $this->assertSame('Sans donnée récente', $this->cmd(jeenergie::byId(1), 'state')->execCmd());
        $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'online'], ['code' => 'no_data'] + $state);
        $this->assertSame(['House : Silent.'], array_values(Memory::$messages));
    }

    public function testAnEventHoldsNoWordsSinceEveryUserGetsIt(): void
    {
        $id = (string) $this->meter->getId();
        $words = ['code' => 'error', 'message' => 'WORDS', 'until' => '2026-01-01T00:00:00Z'];
        $this->apply(
            ['event' => 'connection', 'connection' => '1', 'state' => 'error'] + $words,
            ['event' => 'connection', 'connection' => '1', 'equipment' => $id, 'state' => 'no_data'] + $words,
            ['event' => 'progress', 'connection' => '1', 'operation' => 'o', 'percent' => 5, 'text' => 'WORDS']
        );
        $told = array_values(array_filter(Memory::$events, fn(array $each): bool => strpos($each[0], 'jeenergie::') === 0));
        $this->assertEquals([
            ['jeenergie::state', ['id' => '1', 'state' => 'error']],
            ['jeenergie::state', ['id' => $id, 'state' => 'no_data']],
            ['jeenergie::progress', ['connection' => '1', 'operation' => 'o', 'percent' => 5]],
        ], $told);
        $this->assertSame('WORDS', json_decode(json_encode(PageActions::list()), true)['connections'][0]['state']['message']);
    }

    public function testTheStateInAScenarioDoesNotDependOnTheLanguage(): void
    {
        translate::$texts = ['En ligne' => 'Online'];
        try {
            $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'online']);
            $this->assertSame('En ligne', $this->cmd(jeenergie::byId(1), 'state')->execCmd());
            $this->assertSame('Online', State::shown(jeenergie::byId(1))['text']);
        } finally {
            translate::$texts = [];
        }
    }

    public function testADaemonThatEndsLeavesNoConnectionOnline(): void
    {
        $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'online']);
        $this->apply(['event' => 'daemon', 'state' => 'stopping', 'version' => '1']);
        $this->assertSame('Arrêté', $this->cmd(jeenergie::byId(1), 'state')->execCmd());
    }

    public function testTheStateOfAnEquipmentIsItsOwn(): void
    {
        $id = (string) $this->meter->getId();
        $this->apply(['event' => 'connection', 'connection' => '1', 'equipment' => $id, 'state' => 'error']);
        $this->assertSame('error', $this->meter->state()['state']);
        $this->assertSame([], jeenergie::byId(1)->state());
    }

    public function testAvailableCommandsAreCreated(): void
    {
        $id = (string) $this->meter->getId();
        $this->apply(['event' => 'available', 'equipment' => $id, 'commands' => ['index1', 'index2']]);
        $this->assertContains('index2', $this->logicalIds($this->meter));
    }

    public function testATriggerRunsTheChosenCommandLater(): void
    {
        $connection = jeenergie::byId(1);
        $chosen = $this->cmd($this->meter, 'open');
        $connection->setConfiguration('config', ['onAlarm' => '#' . $chosen->getId() . '#'])->save();
        $event = ['event' => 'trigger', 'equipment' => (string) $this->meter->getId(), 'name' => 'onAlarm', 'value' => 4,
            'at' => date('c', Memory::$now), 'expires' => date('c', Memory::$now + 60)];
        $this->apply($event, ['name' => 'nothing'] + $event);
        $this->assertCount(1, Memory::$async);
        [$method, $options] = Memory::$async[0];
        $this->assertSame([], array_filter(Memory::$events, fn(array $each): bool => $each[0] === 'executed'));
        jeenergie::$method(['expires' => date('c', Memory::$now - 1)] + $options);
        $this->assertNotContains('executed', array_column(Memory::$events, 0));
        jeenergie::$method($options);
        $this->assertContains('executed', array_column(Memory::$events, 0));
    }

    public function testProgressAndMessagesAreHandedOn(): void
    {
        $progress = ['event' => 'progress', 'connection' => '1', 'operation' => 'o', 'percent' => 5, 'text' => 't'];
        $message = ['event' => 'message', 'level' => 'warning', 'text' => 'Look.'];
        $this->apply($progress, $message, $message);
        $this->assertSame(['jeenergie::progress', ['connection' => '1', 'operation' => 'o', 'percent' => 5]], Memory::$events[0]);
        $words = PageActions::words(['connection' => '1', 'event' => 'progress']);
        $this->assertSame(['connection' => '1', 'operation' => 'o', 'percent' => 5, 'text' => 't'], $words);
        $this->assertSame(['Look.'], array_values(Memory::$messages));
    }

    /** @dataProvider settingsOfTheCore */
    public function testAnErrorStandsOnceInTheLogAndOnceInTheMessageCentre(int $coreTellsErrors): void
    {
        config::save('addMessageForErrorLog', $coreTellsErrors);
        $this->apply(['event' => 'message', 'level' => 'error', 'connection' => '1', 'text' => 'It <burns>.']);
        $this->assertSame([['error', 'It ‹burns›.']], Memory::$logs);
        $this->assertSame(['It ‹burns›.'], array_values(Memory::$messages));
        $this->assertSame([1], array_values(Memory::$timesTold));
    }

    public static function settingsOfTheCore(): array
    {
        return [[0], [1]];
    }

    public function testAPageThatIsOpenedMeanwhileSeesWhatGoesOnByItself(): void
    {
        $connection = $this->meter->connection();
        $progress = ['event' => 'progress', 'connection' => (string) $connection->getId(), 'operation' => 'o', 'text' => 't'];
        $shown = fn(): array => Progress::underWay($connection);
        $this->apply(['percent' => 5] + $progress);
        $this->assertSame([5, 't'], [$shown()['percent'], $shown()['text']]);
        $this->apply(['percent' => 100] + $progress);
        $this->assertSame([], $shown());
        // The page that has asked for an operation shows its progress and its end itself.
        Progress::during((string) $connection->getId(), function () use ($progress): string {
            $this->apply(['percent' => 50] + $progress);
            return 'done';
        });
        $this->apply(['percent' => 90] + $progress);
        $this->assertSame([], $shown());
        $this->assertCount(4, array_filter(Memory::$events, fn(array $each): bool => $each[0] === 'jeenergie::progress'));
    }

    public function testPastPointsAreArchivedInTwoQueries(): void
    {
        $points = [];
        foreach (range(10, 3) as $hours) {
            $points[] = [date('c', Memory::$now - 3600 * $hours), $hours];
        }
        $points[] = [date('c', Memory::$now - 60), 1];
        $id = (string) $this->meter->getId();
        $answer = $this->apply(['event' => 'history', 'equipment' => $id, 'command' => 'power', 'points' => $points]);
        $this->assertArrayNotHasKey('rejected', $answer);
        $written = array_slice(Memory::$queries, 2);
        $this->assertSame(['live', 'DELETE', 'REPLACE'], array_map(fn(array $each): string => strtok($each[0], ' '), $written));
        $this->assertCount(8 * 3, $written[2][1]);
        $this->assertSame([['cmd::event', ['power', 1.0, date('Y-m-d H:i:s', Memory::$now - 60)]]], Memory::$events);
    }

    /** The hour from 2 to 3 o'clock comes twice: 02:50 summer time, then 02:10 winter time, twenty minutes later. */
    public function testInTheRepeatedHourOfAutumnTheLaterMomentIsTheNewerOne(): void
    {
        $send = function (string $moment, int $value): array {
            $event = ['at' => $moment] + $this->values(['power' => $value]);
            (new Callback())->apply([$event], date('c', Memory::$now));
            return [$this->cmd($this->meter, 'power')->execCmd(), $this->cmd($this->meter, 'power')->getCache('collectDate')];
        };
        $this->assertSame([1, '2025-10-26 02:50:00'], $send('2025-10-26T02:50:00+02:00', 1));
        $this->assertSame([2, '2025-10-26 02:10:00'], $send('2025-10-26T02:10:00+01:00', 2));
        $this->assertSame([2, '2025-10-26 02:10:00'], $send('2025-10-26T02:40:00+02:00', 3), 'older, though its text is larger');
        $this->assertSame([2, '2025-10-26 02:20:00'], $send('2025-10-26T02:20:00+01:00', 2), 'the same value, newer');
        $this->assertSame([2, '2025-10-26 02:20:00'], $send('2025-10-26T02:15:00+01:00', 4));
        $this->assertSame([5, '2025-10-26 03:05:00'], $send('2025-10-26T03:05:00+01:00', 5));
    }

    public function testTheNewestOfDatedMeasuresIsTheLatestMomentOfThem(): void
    {
        $id = (string) $this->meter->getId();
        $send = fn(array ...$points): array => $this->apply(
            ['event' => 'history', 'equipment' => $id, 'command' => 'power', 'points' => $points]
        );
        $send(['2025-10-26T02:50:00+02:00', 1], ['2025-10-26T02:10:00+01:00', 2], ['2025-10-26T02:10:00+02:00', 9]);
        $this->assertSame(2.0, $this->cmd($this->meter, 'power')->execCmd());
        $archived = end(Memory::$queries)[1];
        $this->assertSame(['2025-10-26 02:10:00', 2.0], array_slice($archived, array_search('2025-10-26 02:10:00', $archived, true), 2));
        $send(['2025-10-26T02:30:00+02:00', 3]);
        $this->assertSame(2.0, $this->cmd($this->meter, 'power')->execCmd());
        $send(['2025-10-26T02:12:00+01:00', 4]);
        $this->assertSame(4.0, $this->cmd($this->meter, 'power')->execCmd());
        $this->assertArrayNotHasKey('rejected', $send());
    }

    public function testAFreshValueOfTheRepeatedHourIsNewerThanAnyOfTheFirst(): void
    {
        // What the core has written a moment ago, in the second of the two hours.
        $power = $this->cmd($this->meter, 'power');
        $power->setCache('collectDate', '2025-10-26 02:10:03');
        Moment::note($power, strtotime('2025-10-26T02:10:02+01:00'));
        $this->assertSame(strtotime('2025-10-26T02:10:03+01:00'), Moment::ofValue($power));
        // A value that the core has not taken leaves the former one its moment.
        Moment::note($power, strtotime('2025-10-26T02:40:00+01:00'));
        $this->assertSame(strtotime('2025-10-26T02:10:03+01:00'), Moment::ofValue($power));
    }

    private function communication(jeenergie $eqLogic): array
    {
        return [$eqLogic->getStatus('lastCommunication'), $eqLogic->getStatus('timeout')];
    }

    public function testAStateIsNoCommunicationAndDataAreOneOfTheConnectionToo(): void
    {
        $connection = jeenergie::byId(1);
        $long = ['lastCommunication' => date('Y-m-d H:i:s', Memory::$now - 9000), 'timeout' => 1];
        $connection->setStatus($long);
        $this->meter->setStatus($long);
        foreach (['unreachable', 'error', 'unreachable', 'online'] as $state) {
            $this->apply(['event' => 'connection', 'connection' => '1', 'state' => $state]);
            $this->apply(['event' => 'connection', 'connection' => '1', 'equipment' => (string) $this->meter->getId(), 'state' => $state]);
            $this->assertSame(array_values($long), $this->communication($connection), $state);
            $this->assertSame(array_values($long), $this->communication($this->meter), $state);
        }
        $this->assertNotSame('', $this->cmd($connection, 'state')->execCmd());
        $this->apply(['event' => 'connection', 'connection' => '1', 'state' => 'error'], $this->values(['power' => 1]));
        $this->assertSame([date('Y-m-d H:i:s', Memory::$now), 0], $this->communication($this->meter));
        $this->assertSame([date('Y-m-d H:i:s', Memory::$now), 0], $this->communication($connection));
    }
}
