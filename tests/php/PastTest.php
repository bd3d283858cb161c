<?php

use Jeenergie\Daemon\Callback;
use Jeenergie\Storage\DataFolder;

/** What Jeedom's history holds goes to the daemon in pages, each point with the moment at which its value held. */
final class PastTest extends JeenergieTestCase
{
    private const BEGIN = 1792713600; // 2026-10-23 00:00 in UTC

    private $meter;

    protected function setUp(): void
    {
        parent::setUp();
        $this->meter = $this->equipment($this->connection());
        touch($this->file());
        $this->startDaemon('echo', true);
        Memory::$history = [];
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        Memory::$history = [];
        array_map('unlink', glob(DataFolder::path() . '/*'));
    }

    private function file(): string
    {
        return DataFolder::path() . '/messages';
    }

    private function keep(string $logicalId, array $points, int $archived = 1): void
    {
        foreach ($points as [$moment, $value]) {
            Memory::$history[] = ['cmd' => (int) $this->cmd($this->meter, $logicalId)->getId(),
                'datetime' => date('Y-m-d H:i:s', $moment), 'value' => (string) $value, 'archived' => $archived];
        }
    }

    private function page(array $event): array
    {
        file_put_contents($this->file(), '');
        Memory::$logs = [];
        $answer = (new Callback())->apply([['event' => 'past'] + $event]);
        $this->assertArrayNotHasKey('rejected', $answer);
        $lines = array_filter(explode("\n", (string) file_get_contents($this->file())));
        $this->assertCount(1, $lines, json_encode(Memory::$logs));
        $message = json_decode(end($lines), true);
        $this->assertSame('past', $message['cmd']);
        return array_intersect_key($message, array_flip(['equipment', 'command', 'source', 'begin', 'end', 'points', 'next', 'step']));
    }

    private function of(string $logicalId, int $begin, int $end): array
    {
        return ['equipment' => (string) $this->meter->getId(), 'command' => $logicalId, 'begin' => $begin, 'end' => $end];
    }

    /** @return array[] when each value is said to have held, and the values */
    private function points(string $mode): array
    {
        $this->cmd($this->meter, 'power')->setConfiguration('historizeMode', $mode)->save();
        return $this->page($this->of('power', self::BEGIN, self::BEGIN + 86400))['points'];
    }

    public function testAnArchivedPointHoldsWhenItsModeSays(): void
    {
        $this->keep('power', [[self::BEGIN + 7, 10], [self::BEGIN + 3612, 20]]);
        $this->assertEquals([[self::BEGIN + 1800, 10], [self::BEGIN + 5400, 20]], $this->points('avg'));
        $this->assertEquals([[self::BEGIN + 3599, 10], [self::BEGIN + 7199, 20]], $this->points('max'));
        $this->assertEquals([[self::BEGIN + 7, 10], [self::BEGIN + 3612, 20]], $this->points('none'));
    }

    public function testPointsThatWereNotArchivedHoldWhenTheyCame(): void
    {
        $this->keep('power', [[self::BEGIN + 7, 10], [self::BEGIN + 60, 11]]);
        $this->keep('power', [[self::BEGIN + 3612, 20]], 0);
        $this->assertEquals([[self::BEGIN + 7, 10], [self::BEGIN + 60, 11], [self::BEGIN + 3612, 20]], $this->points('avg'));
    }

    public function testALongHistoryComesInPagesWithoutLossOrRepeat(): void
    {
        $this->keep('power', array_map(fn(int $n): array => [self::BEGIN + 10 * $n, $n], range(0, 4999)), 0);
        $values = [];
        $begin = self::BEGIN;
        for ($pages = 0; $begin !== null && $begin < self::BEGIN + 86400; $pages++) {
            $page = $this->page($this->of('power', $begin, self::BEGIN + 86400));
            $this->assertLessThanOrEqual(2000, count($page['points']));
            $values = array_merge($values, array_column($page['points'], 1));
            $begin = $page['next'];
        }
        $this->assertSame(3, $pages);
        $this->assertEquals(range(0, 4999), $values);
    }

    public function testAnEmptySpanSaysWhenTheFirstPointIs(): void
    {
        $this->keep('power', [[self::BEGIN + 86400 * 300, 1]]);
        $page = $this->page($this->of('power', self::BEGIN, self::BEGIN));
        $this->assertSame([[], self::BEGIN + 86400 * 300], [$page['points'], $page['next']]);
        $page = $this->page($this->of('power', self::BEGIN + 86400 * 301, self::BEGIN + 86400 * 301));
        $this->assertSame([[], null], [$page['points'], $page['next']]);
    }

    public function testACommandThatIsGoneHasNoHistory(): void
    {
        $page = $this->page(['source' => '9999', 'begin' => 0, 'end' => 10]);
        $this->assertSame(['source' => '9999', 'begin' => 0, 'end' => 10, 'points' => [], 'next' => null, 'step' => 3600], $page);
    }

    public function testTheCommandOfAnotherPluginIsNamedByItself(): void
    {
        $this->keep('power', [[self::BEGIN, 5]], 0);
        $source = (string) $this->cmd($this->meter, 'power')->getId();
        $page = $this->page(['source' => $source, 'begin' => self::BEGIN, 'end' => self::BEGIN + 60]);
        $this->assertEquals([[self::BEGIN, 5]], $page['points']);
    }

    public function testADaemonThatDoesNotAnswerIsNoRefusalOfTheEvent(): void
    {
        Memory::$config['jeenergie::socketport'] = 1;
        $answer = (new Callback())->apply([['event' => 'past'] + $this->of('power', 0, 10)]);
        $this->assertArrayNotHasKey('rejected', $answer);
    }
}
