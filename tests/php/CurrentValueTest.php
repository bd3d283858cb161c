<?php

use Jeenergie\Daemon\Callback;

/** What becomes of values that the core's cache has lost, and of those that it could not take. */
final class CurrentValueTest extends JeenergieTestCase
{
    private $connection;
    private $meter;

    protected function setUp(): void
    {
        parent::setUp();
        Memory::$now = time();
        $this->connection = $this->connection();
        $this->meter = $this->equipment($this->connection);
        $this->apply($this->values(['power' => 12.5, 'valve' => 1.0]));
        Memory::$history = [['cmd' => $this->cmd($this->meter, 'power')->getId(), 'datetime' => $this->date(0), 'value' => 12.5]];
        Memory::$events = Memory::$queries = Memory::$recorded = [];
    }

    private function apply(array ...$events): array
    {
        return (new Callback())->apply($events, date('c', Memory::$now));
    }

    private function values(array $values, int $age = 0, bool $again = false): array
    {
        $event = ['event' => 'values', 'equipment' => (string) $this->meter->getId(), 'at' => date('c', Memory::$now - $age)];
        return $event + ['values' => $values] + ($again ? ['again' => true] : []);
    }

    private function date(int $age): string
    {
        return date('Y-m-d H:i:s', Memory::$now - $age);
    }

    private function stored(string $logicalId): array
    {
        $cmd = $this->cmd($this->meter, $logicalId);
        return [$cmd->execCmd(), $cmd->getCache('collectDate')];
    }

    public function testWhatTheCacheHasLostComesBackWithItsDateAndWithoutASecondPointOfHistory(): void
    {
        Memory::$cache = [];
        Memory::$now += 900;
        $this->apply($this->values(['power' => 12.5, 'valve' => 1.0], 900, true));
        $this->assertSame([12.5, $this->date(900)], $this->stored('power'));
        $this->assertSame([1.0, $this->date(900)], $this->stored('valve'));
        $this->assertSame([], Memory::$recorded);
        $this->assertSame($this->date(900), $this->meter->getStatus('lastCommunication'));
    }

    public function testWhatIsThereIsNotTouchedByAValueThatIsSentAgain(): void
    {
        Memory::$now += 900;
        $this->apply($this->values(['power' => 12.5], 890, true));
        $this->apply($this->values(['valve' => 0.0], 900, true)); // an older one than what is there
        $this->assertSame([], Memory::$events);
        $this->assertSame([12.5, $this->date(900)], $this->stored('power'));
        $this->assertSame([1.0, $this->date(900)], $this->stored('valve'));
    }

    public function testAnOldCacheThatIsPutBackGetsTheNewerValue(): void
    {
        Memory::$now += 3600;
        $this->apply($this->values(['power' => 99.5], 600, true));
        $this->assertSame([99.5, $this->date(600)], $this->stored('power'));
    }

    public function testAValueThatIsSentAgainIsNoCommunication(): void
    {
        $this->meter->setStatus(['lastCommunication' => $this->date(300), 'timeout' => 1]);
        unset(Memory::$cache[jeenergieCmd::class . $this->cmd($this->meter, 'power')->getId()]);
        $this->apply($this->values(['power' => 12.5], 900, true));
        $this->assertSame([12.5, $this->date(900)], $this->stored('power'));
        $this->assertSame([$this->date(300), 1], array_values($this->meter->getStatus(['lastCommunication', 'timeout'])));
    }

    public function testACommandThatIsCreatedAnewGetsAFirstPointOfHistory(): void
    {
        Memory::$cache = Memory::$history = [];
        $this->apply($this->values(['power' => 12.5], 900, true));
        $this->assertSame([[$this->cmd($this->meter, 'power')->getId(), $this->date(900), 12.5]], Memory::$recorded);
    }

    public function testTheDaemonIsToldOnceThatTheCacheWasLost(): void
    {
        $this->assertArrayNotHasKey('lost', $this->apply($this->values(['power' => 13.5])));
        Memory::$cache = [];
        $this->assertTrue($this->apply($this->values(['power' => 14.5]))['lost'] ?? null);
        $this->assertArrayNotHasKey('lost', $this->apply($this->values(['power' => 15.5])));
    }

    public function testOneValueThatFailsTakesNoOtherAlong(): void
    {
        Memory::$meanwhile['cached'] = function (): void {
            throw new Exception('deadlock');
        };
        $answer = $this->apply($this->values(['power' => 13.5, 'valve' => 0.0]));
        $this->assertSame([['event' => 0, 'message' => 'deadlock']], $answer['rejected']);
        $this->assertSame(0.0, $this->stored('valve')[0]);
    }

    public function testAValueThatWasCachedBeforeTheDatabaseWentIsStillAnEventWhenItIsRepeated(): void
    {
        Memory::$meanwhile['cached'] = function (): void {
            Memory::$databaseGone = true;
            throw new Exception('MySQL server has gone away');
        };
        try {
            $this->apply($this->values(['power' => 13.5]));
            $this->fail('an acknowledgement would tell the daemon to forget it');
        } catch (Exception $error) {
            $this->assertStringContainsString('gone away', $error->getMessage());
        }
        Memory::$databaseGone = false;
        Memory::$now += 90; // by now it has its own date, older than that of its first arrival
        $this->apply($this->values(['power' => 13.5], 95));
        $this->assertSame([[$this->cmd($this->meter, 'power')->getId(), $this->date(95), 13.5]], Memory::$recorded);
    }

    public function testADaemonThatStartsBringsDatedMeasuresBackFromTheirHistory(): void
    {
        $catalogue = json_decode(file_get_contents(__DIR__ . '/catalogue.json'), true);
        $catalogue['sets']['power'][0]['dated'] = true;
        $this->useCatalogue($catalogue);
        Memory::$cache = [];
        Memory::$now += 90000;
        $answer = $this->apply(['event' => 'daemon', 'state' => 'started', 'version' => '1']);
        $this->assertArrayNotHasKey('rejected', $answer);
        $this->assertSame([12.5, $this->date(90000)], $this->stored('power'));
        $this->assertSame('', $this->stored('valve')[0]); // the daemon reads it
        $this->assertSame([], Memory::$recorded);
        $this->assertSame(1, count(Memory::$events));
        $this->apply(['event' => 'daemon', 'state' => 'started', 'version' => '1']);
        $this->assertSame(1, count(Memory::$events));
    }

    public function testReadingWhatIsThereCostsNoQuery(): void
    {
        $this->apply($this->values(['power' => 12.5, 'valve' => 1.0], 900, true));
        $this->assertCount(2, Memory::$queries); // equipment and commands, as for any payload
    }
}
